import type { Scheduler, SchedulerRefusal, SchedulerStatus } from '../api/types';

/** What people call a status, and how worried they should be. Shape as well as colour tells them apart. */
export const STATUS: Record<
  SchedulerStatus,
  { word: string; tone: 'good' | 'fair' | 'bad' | 'off'; mark: string }
> = {
  running: { word: 'Running', tone: 'good', mark: '✓' },
  limit: { word: 'At its limit', tone: 'fair', mark: '≡' },
  paused: { word: 'Paused', tone: 'fair', mark: '‖' },
  waiting: { word: 'Waiting', tone: 'fair', mark: '…' },
  halted: { word: 'Halted', tone: 'bad', mark: '■' },
  disabled: { word: 'Disabled', tone: 'off', mark: '–' },
};

/** "balance-leader-scheduler" is "balance-leader" in a heading. */
export function shortName(name: string): string {
  return name.replace(/-scheduler$/, '');
}

/** "5 running, 1 paused": how many are in each status, those that run first. */
export function tally(schedulers: readonly Scheduler[]): string {
  return (Object.keys(STATUS) as SchedulerStatus[])
    .map((status) => ({
      status,
      count: schedulers.filter((one) => one.status === status).length,
    }))
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => `${count} ${STATUS[status].word.toLowerCase()}`)
    .join(', ');
}

/** Reasons for doing nothing that nobody has to see to. */
const CONTENT = new Set(['already-balanced', 'no-source']);

/** Between two proposals a busy scheduler has runs without one. */
const BUSY_MS = 2000;

/** What its latest run came to, in one word for the heading above the reasons. */
export type Outcome = 'off' | 'full' | 'unseen' | 'proposed' | 'content' | 'held' | 'silent';

export function outcome(scheduler: Scheduler): Outcome {
  if (scheduler.status === 'disabled') return 'off';
  if (scheduler.status === 'limit') return 'full';
  if (scheduler.status !== 'running') return 'held';
  if (scheduler.ran_ms_ago === null) return 'unseen';
  const last_ms_ago = scheduler.proposed_last?.ms_ago ?? Infinity;
  if (scheduler.proposed_latest > 0 || last_ms_ago < BUSY_MS) return 'proposed';
  if (scheduler.refusals.length === 0) return 'silent';
  return scheduler.refusals.every((one) => CONTENT.has(one.reason)) ? 'content' : 'held';
}

export interface StoreRefusals {
  /** null: about no store in particular. */
  store_id: number | null;
  lines: SchedulerRefusal[];
}

/** The reasons store by store: those of no store first, then the stores in order. */
export function byStore(refusals: readonly SchedulerRefusal[]): StoreRefusals[] {
  const groups = new Map<number | null, SchedulerRefusal[]>();
  for (const refusal of refusals) {
    groups.set(refusal.store_id, [...(groups.get(refusal.store_id) ?? []), refusal]);
  }
  return [...groups]
    .map(([store_id, lines]) => ({ store_id, lines }))
    .sort((a, b) => (a.store_id ?? -1) - (b.store_id ?? -1));
}
