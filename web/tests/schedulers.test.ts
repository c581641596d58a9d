import { expect, test } from 'vitest';

import type { Scheduler, SchedulerRefusal } from '../src/api/types';
import { byStore, outcome, shortName, STATUS, tally } from '../src/live/schedulers';

function refusal(reason: string, store_id: number | null): SchedulerRefusal {
  return { reason, store_id, text: `${reason} ${store_id}`, remedy: '', times: 1 };
}

function scheduler(changes: Partial<Scheduler>): Scheduler {
  return {
    name: 'balance-leader-scheduler',
    status: 'running',
    store_ids: [],
    resumes_in_ms: null,
    kind: 'leader',
    running: 0,
    limit: 4,
    ran_ms_ago: 10,
    proposed_latest: 0,
    proposed_total: 0,
    proposed_last: null,
    refusals: [],
    refusals_total: 0,
    ...changes,
  };
}

test('the name in a heading', () => {
  expect(shortName('evict-slow-store-scheduler')).toBe('evict-slow-store');
  expect(shortName('scatter-range-scheduler-a')).toBe('scatter-range-scheduler-a');
});

test('the tally counts each status once, those that run first', () => {
  const list = [
    scheduler({ status: 'disabled' }),
    scheduler({}),
    scheduler({ status: 'limit' }),
    scheduler({}),
  ];
  expect(tally(list)).toBe('2 running, 1 at its limit, 1 disabled');
  expect(tally([])).toBe('');
});

test('every status has a word, a tone and a mark of its own', () => {
  const marks = Object.values(STATUS).map(({ mark }) => mark);
  expect(new Set(marks).size).toBe(marks.length);
});

test('what the latest run came to', () => {
  const even = refusal('already-balanced', 1);
  const full = refusal('store-low-space', 2);
  expect(outcome(scheduler({ status: 'disabled', ran_ms_ago: null }))).toBe('off');
  expect(outcome(scheduler({ status: 'waiting', ran_ms_ago: null }))).toBe('held');
  expect(outcome(scheduler({ status: 'paused', proposed_latest: 2 }))).toBe('held');
  expect(outcome(scheduler({ status: 'limit' }))).toBe('full');
  expect(outcome(scheduler({ ran_ms_ago: null }))).toBe('unseen');
  expect(outcome(scheduler({ proposed_latest: 1, refusals: [full] }))).toBe('proposed');
  const last = { ms_ago: 1000, region_id: 1, brief: '', why: '' };
  expect(outcome(scheduler({ proposed_last: last, refusals: [full] }))).toBe('proposed');
  last.ms_ago = 60_000;
  expect(outcome(scheduler({ proposed_last: last, refusals: [full] }))).toBe('held');
  expect(outcome(scheduler({}))).toBe('silent');
  expect(outcome(scheduler({ refusals: [even] }))).toBe('content');
  expect(outcome(scheduler({ refusals: [even, full] }))).toBe('held');
});

test('refusals by store: of none first, then in the order of their ids', () => {
  const list = [
    refusal('store-busy', 10),
    refusal('already-balanced', 2),
    refusal('no-region', 10),
    refusal('halted', null),
  ];
  expect(byStore(list).map(({ store_id, lines }) => [store_id, lines.length])).toEqual([
    [null, 1],
    [2, 1],
    [10, 2],
  ]);
});
