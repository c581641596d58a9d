import { expect, test } from 'vitest';

import type { Sample } from '../src/api/types';
import {
  band,
  extend,
  finishedPerMinute,
  HISTORY_MAX,
  merge,
  perStore,
  totals,
} from '../src/live/history';

function sample(time_ms: number, leaders: Record<string, number>, finished_total = 0): Sample {
  const stores: Sample['stores'] = {};
  for (const [id, value] of Object.entries(leaders)) stores[id] = [value, value * 3, 0, 0, 0];
  return { time_ms, stores, running: 0, finished_total };
}

test('only newer samples are appended and old ones fall off', () => {
  let history: Sample[] = [];
  for (let i = 0; i < HISTORY_MAX + 5; i += 1) history = extend(history, [sample(i, {})]);
  expect(history.length).toBe(HISTORY_MAX);
  expect(history[0]?.time_ms).toBe(5);
  expect(extend(history, [sample(3, {})])).toEqual(history);
});

test('what the server remembers goes between what the page saw', () => {
  const merged = merge(
    [sample(10, {}), sample(11, {})],
    [sample(1, {}), sample(10, {}), sample(12, {})],
  );
  expect(merged.map((one) => one.time_ms)).toEqual([1, 10, 11, 12]);
});

test('stores that come and go leave gaps', () => {
  const series = perStore([sample(1000, { 2: 5 }), sample(2000, { 2: 6, 10: 1 })], 'leaders');
  expect(series.times_s).toEqual([1, 2]);
  expect(series.lines).toEqual([
    { id: '2', values: [5, 6] },
    { id: '10', values: [null, 1] },
  ]);
});

test('a band has the extremes and the mean', () => {
  const lines = band(perStore([sample(0, { 1: 2, 2: 4, 3: 9 })], 'leaders')).lines;
  expect(lines.map((line) => line.values[0])).toEqual([9, 5, 2]);
  expect(totals([sample(0, { 1: 2, 2: 4 })], 'regions')).toEqual([18]);
});

test('finished operators count over the last minute', () => {
  const history = [sample(0, {}, 0), sample(30_000, {}, 10), sample(61_000, {}, 15)];
  expect(finishedPerMinute(history)).toEqual([0, 10, 5]);
});
