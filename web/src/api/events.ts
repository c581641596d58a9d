import type { Sample, Snapshot } from './types';
import { FORMAT } from './types';

const PATH = '/qm/api/v1/events';
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 5000;
/** Events come every second; after this much silence the figures are called stale. */
const STALE_MS = 3500;
/** How long a leader that this browser cannot reach is left alone. */
const AVOID_MS = 15_000;
/** After this much the stream is taken for dead and opened anew. */
const DEAD_MS = 10_000;

export type Connection =
  | { state: 'connecting'; target: string }
  | { state: 'live'; target: string }
  | { state: 'stale'; target: string; since_ms: number }
  | { state: 'lost'; target: string; since_ms: number }
  | { state: 'mismatch'; target: string };

export interface Handlers {
  onSnapshot(snapshot: Snapshot, target: string): void;
  onHistory(samples: Sample[]): void;
  onConnection(connection: Connection): void;
}

/** The part of EventSource that is used, so that tests can stand in for it. */
export interface Source {
  addEventListener(name: string, listener: (event: { data: string }) => void): void;
  onerror: (() => void) | null;
  close(): void;
}

/**
 * Keeps one stream open for good. It starts at the server that served the page, moves to the PD leader when that
 * server says it does not lead, and tries the other known members when a server goes away.
 */
export class EventStream {
  private source: Source | null = null;
  private target: string;
  private urls: string[];
  private tried = 0;
  private readonly avoidUntilMs = new Map<string, number>();
  private retryMs = RETRY_MS_MIN;
  private lastEventMs = 0;
  private lostSinceMs = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly origin: string,
    private readonly handlers: Handlers,
    private readonly open: (url: string) => Source = (url) =>
      new EventSource(url) as unknown as Source,
    private readonly now: () => number = Date.now,
  ) {
    this.target = origin;
    this.urls = [origin];
  }

  start(): void {
    this.connect(this.origin);
    this.watchdog = setInterval(() => this.watch(), 1000);
  }

  stop(): void {
    clearTimeout(this.timer);
    clearInterval(this.watchdog);
    this.source?.close();
    this.source = null;
  }

  /** Tries again at once, as when somebody presses the button. */
  retryNow(): void {
    clearTimeout(this.timer);
    this.retryMs = RETRY_MS_MIN;
    this.connect(this.origin);
  }

  private connect(target: string): void {
    this.source?.close();
    this.target = target;
    if (this.lostSinceMs === 0) this.handlers.onConnection({ state: 'connecting', target });
    this.lastEventMs = this.now();
    const source = this.open(target === this.origin ? PATH : target + PATH);
    this.source = source;
    source.addEventListener('history', (event) => {
      if (this.source === source) this.handlers.onHistory(JSON.parse(event.data) as Sample[]);
    });
    source.addEventListener('snapshot', (event) => {
      if (this.source === source) this.receive(JSON.parse(event.data) as Snapshot);
    });
    source.onerror = () => {
      if (this.source === source) this.fail();
    };
  }

  private receive(snapshot: Snapshot): void {
    this.lastEventMs = this.now();
    this.retryMs = RETRY_MS_MIN;
    this.tried = 0;
    if (snapshot.format !== FORMAT) {
      this.handlers.onConnection({ state: 'mismatch', target: this.target });
      return;
    }
    this.lostSinceMs = 0;
    this.learn(snapshot);
    this.handlers.onConnection({ state: 'live', target: this.target });
    this.handlers.onSnapshot(snapshot, this.target);
    const leader = snapshot.leader?.client_urls[0];
    if (snapshot.answered_by.leads || leader === undefined || leader === this.target) return;
    if (!this.avoided(leader)) this.connect(leader);
  }

  private avoided(url: string): boolean {
    return (this.avoidUntilMs.get(url) ?? 0) > this.now();
  }

  private learn(snapshot: Snapshot): void {
    const leader = snapshot.leader?.client_urls ?? [];
    const others = snapshot.members.flatMap((member) => member.client_urls);
    this.urls = [...new Set([this.origin, ...leader, ...others])];
  }

  private fail(): void {
    this.source?.close();
    this.source = null;
    this.avoidUntilMs.set(this.target, this.now() + AVOID_MS);
    if (this.lostSinceMs === 0) this.lostSinceMs = this.now();
    this.handlers.onConnection({ state: 'lost', target: this.target, since_ms: this.lostSinceMs });
    this.tried += 1;
    const next =
      this.urls.find((url) => !this.avoided(url)) ??
      this.urls[this.tried % this.urls.length] ??
      this.origin;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(next), this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MS_MAX);
  }

  private watch(): void {
    if (this.source === null) return;
    const silence = this.now() - this.lastEventMs;
    if (silence > DEAD_MS) {
      this.fail();
    } else if (silence > STALE_MS && this.lostSinceMs === 0) {
      this.handlers.onConnection({
        state: 'stale',
        target: this.target,
        since_ms: this.lastEventMs,
      });
    }
  }
}
