import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { EventStream, type Connection, type Source } from '../src/api/events';
import type { Snapshot } from '../src/api/types';

class FakeSource implements Source {
  listeners: Record<string, (event: { data: string }) => void> = {};
  onerror: (() => void) | null = null;
  closed = false;
  constructor(readonly url: string) {}
  addEventListener(name: string, listener: (event: { data: string }) => void): void {
    this.listeners[name] = listener;
  }
  close(): void {
    this.closed = true;
  }
  send(changes: Partial<Snapshot>): void {
    const snapshot = {
      format: 1,
      answered_by: { name: 'pd1', leads: true },
      members: [],
      leader: null,
      ...changes,
    };
    this.listeners['snapshot']?.({ data: JSON.stringify(snapshot) });
  }
}

let sources: FakeSource[] = [];
let states: Connection[] = [];
let stream: EventStream;
const latest = (): FakeSource => sources[sources.length - 1]!;

beforeEach(() => {
  vi.useFakeTimers();
  sources = [];
  states = [];
  stream = new EventStream(
    'http://a',
    {
      onSnapshot: () => undefined,
      onHistory: () => undefined,
      onConnection: (state) => states.push(state),
    },
    (url) => {
      sources.push(new FakeSource(url));
      return latest();
    },
  );
  stream.start();
});
afterEach(() => {
  stream.stop();
  vi.useRealTimers();
});

test('goes live with the first snapshot', () => {
  expect(latest().url).toBe('/qm/api/v1/events');
  latest().send({});
  expect(states.map((one) => one.state)).toEqual(['connecting', 'live']);
});

test('moves on to the leader that a follower names', () => {
  latest().send({
    answered_by: { name: 'pd1', leads: false },
    leader: { name: 'pd2', client_urls: ['http://b'] },
  });
  expect(latest().url).toBe('http://b/qm/api/v1/events');
  expect(sources[0]?.closed).toBe(true);
});

test('tries the other members when its server goes away', () => {
  latest().send({
    members: [{ client_urls: ['http://a'] }, { client_urls: ['http://c'] }] as Snapshot['members'],
  });
  latest().onerror?.();
  expect(states[states.length - 1]?.state).toBe('lost');
  vi.advanceTimersByTime(500);
  expect(latest().url).toBe('http://c/qm/api/v1/events');
  latest().onerror?.();
  vi.advanceTimersByTime(1000);
  expect(latest().url).toBe('/qm/api/v1/events');
});

test('calls silence stale, then reopens', () => {
  latest().send({});
  vi.advanceTimersByTime(5000);
  expect(states[states.length - 1]?.state).toBe('stale');
  vi.advanceTimersByTime(8000);
  expect(sources.length).toBeGreaterThan(1);
});

test('says when page and server do not fit', () => {
  latest().send({ format: 99 });
  expect(states[states.length - 1]?.state).toBe('mismatch');
});

test('stays with a follower whose leader is out of reach, and tries the leader again later', () => {
  const follower: Partial<Snapshot> = {
    answered_by: { name: 'pd1', leads: false },
    leader: { name: 'pd2', client_urls: ['http://b'] },
  };
  latest().send(follower);
  latest().onerror?.();
  vi.advanceTimersByTime(500);
  expect(latest().url).toBe('/qm/api/v1/events');
  latest().send(follower);
  expect(latest().url).toBe('/qm/api/v1/events');
  vi.advanceTimersByTime(8000);
  latest().send(follower);
  vi.advanceTimersByTime(8000);
  latest().send(follower);
  expect(latest().url).toBe('http://b/qm/api/v1/events');
});
