import { expect, test } from 'vitest';

import type { Store } from '../src/api/types';
import { verdict, weigh } from '../src/live/balance';

function store(id: number, changes: Partial<Store>): Store {
  return {
    id,
    address: '',
    status_address: '',
    version: '',
    labels: [],
    state: 'Up',
    node_state: 'Serving',
    capacity_bytes: 100,
    available_bytes: 50,
    used_bytes: 50,
    leader_count: 0,
    region_count: 0,
    learner_count: 0,
    pending_peer_count: 0,
    leader_size_mib: 0,
    region_size_mib: 0,
    leader_score: 0,
    region_score: 0,
    leader_weight: 1,
    region_weight: 1,
    read_bytes_per_s: 0,
    write_bytes_per_s: 0,
    sending_snapshots: 0,
    receiving_snapshots: 0,
    slow_score: 0,
    busy: false,
    low_space: false,
    progress: null,
    heartbeat_age_ms: 0,
    start_time_s: 0,
    ...changes,
  };
}

test('an even cluster has no spread', () => {
  const balance = weigh([store(1, { leader_count: 4 }), store(2, { leader_count: 4 })], 'leaders');
  expect(balance.spread).toBe(0);
  expect(balance.bars.map((bar) => bar.ideal)).toEqual([4, 4]);
});

test('weights and capacities move the ideal', () => {
  const weighted = weigh(
    [store(1, { leader_count: 9, leader_weight: 2 }), store(2, {})],
    'leaders',
  );
  expect(weighted.bars.map((bar) => bar.ideal)).toEqual([6, 3]);
  const space = weigh(
    [store(1, { capacity_bytes: 300 }), store(2, { capacity_bytes: 100 })],
    'space',
  );
  expect(space.bars.map((bar) => bar.ideal)).toEqual([75, 25]);
});

test('a leaving store should hold nothing, a tombstone is not shown', () => {
  const balance = weigh(
    [
      store(1, { region_count: 6 }),
      store(2, { state: 'Offline', region_count: 2 }),
      store(3, { state: 'Tombstone' }),
    ],
    'regions',
  );
  expect(balance.bars.map((bar) => [bar.store.id, bar.ideal])).toEqual([
    [1, 8],
    [2, 0],
  ]);
});

test('verdicts', () => {
  expect(verdict(0).word).toBe('even');
  expect(verdict(0.2).tone).toBe('fair');
  expect(verdict(2).tone).toBe('bad');
});

test('a handful more or less is even', () => {
  const few = [store(1, { leader_count: 11 }), store(2, { leader_count: 20 })];
  expect(weigh(few, 'leaders').spread).toBe(0);
  const many = [store(1, { leader_count: 110 }), store(2, { leader_count: 200 })];
  expect(weigh(many, 'leaders').spread).toBeCloseTo(45 / 155);
});
