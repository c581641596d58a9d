import { expect, test } from 'vitest';

import { verdict, weigh } from '../src/live/balance';
import { store } from './stores';

test('an even cluster has no spread', () => {
  const balance = weigh([store(1, { leader_count: 4 }), store(2, { leader_count: 4 })], 'leaders');
  expect(balance.spread).toBe(0);
  expect(balance.bars.map((bar) => bar.ideal)).toEqual([4, 4]);
});

test('weights and capacities move the ideal', () => {
  const weighted = weigh([store(1, { leader_count: 9, leader_weight: 2 }), store(2)], 'leaders');
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
