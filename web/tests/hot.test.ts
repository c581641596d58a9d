import { expect, test } from 'vitest';

import type { Hot, HotPeer, Rates, StoreLoad } from '../src/api/types';
import {
  first,
  heatTone,
  hottest,
  LISTED,
  loadBars,
  partOfStore,
  peersOf,
  sumOf,
} from '../src/live/hot';
import { store } from './stores';

const MIB = 1024 ** 2;

function load(id: number, read: Rates, write: Rates = [0, 0, 0]): StoreLoad {
  return { id, read, write };
}

function peer(region_id: number, rates: Rates, store_id = 1): HotPeer {
  return { region_id, store_id, role: 'leader', degree: 3, rates };
}

test('each store against an even share, by the flow and the rate asked for', () => {
  const stores = [store(1), store(2)];
  const loads = [load(1, [3 * MIB, 10, 0], [0, 0, 500]), load(2, [MIB, 10, 0], [0, 0, 1500])];
  const bytes = loadBars(stores, loads, 'read', 'bytes');
  expect(bytes.total).toBe(4 * MIB);
  expect(bytes.bars.map(({ value, ideal, off }) => [value, ideal, off])).toEqual([
    [3 * MIB, 2 * MIB, 0.5],
    [MIB, 2 * MIB, -0.5],
  ]);
  expect(hottest(bytes.bars)).toEqual({ store_id: 1, times: 1.5 });
  expect(hottest(loadBars(stores, loads, 'write', 'queries').bars)?.store_id).toBe(2);
  expect(sumOf(loads, 'write', 'queries')).toBe(2000);
});

test('a little more than an even share is no heat', () => {
  const { bars } = loadBars(
    [store(1), store(2)],
    [load(1, [9000, 0, 0]), load(2, [0, 0, 0])],
    'read',
    'bytes',
  );
  expect(bars.map((bar) => bar.off)).toEqual([0, 0]);
  expect(hottest(bars)).toBeNull();
  expect(heatTone(null)).toBe('good');
  expect(heatTone({ store_id: 1, times: 1.6 })).toBe('fair');
  expect(heatTone({ store_id: 1, times: 3 })).toBe('bad');
});

test('a store that leaves should bear nothing, one that is not heard is named, a tombstone is not shown', () => {
  const stores = [
    store(1),
    store(2, { state: 'Offline' }),
    store(3, { state: 'Down' }),
    store(4, { state: 'Tombstone' }),
  ];
  const loads = [load(1, [MIB, 0, 0]), load(2, [MIB, 0, 0])];
  const { bars, unheard } = loadBars(stores, loads, 'read', 'bytes');
  expect(bars.map((bar) => [bar.store.id, bar.ideal])).toEqual([
    [1, 2 * MIB],
    [2, 0],
  ]);
  expect(unheard.map((one) => one.id)).toEqual([3]);
});

test('no load at all', () => {
  const { bars, total } = loadBars([store(1)], [load(1, [0, 0, 0])], 'read', 'keys');
  expect(total).toBe(0);
  expect(bars).toHaveLength(1);
  expect(hottest(bars)).toBeNull();
  expect(loadBars([store(1)], [], 'read', 'keys').bars).toEqual([]);
});

test('the hottest by one rate, the same every time', () => {
  const peers = { total: 3, hottest: [peer(9, [5, 1, 0]), peer(7, [5, 3, 0]), peer(8, [6, 2, 0])] };
  expect(first(peers, 'bytes').map((one) => one.region_id)).toEqual([8, 7, 9]);
  expect(first(peers, 'keys').map((one) => one.region_id)).toEqual([7, 8, 9]);
  const many = Array.from({ length: 25 }, (_, i) => peer(i, [i, 0, 0]));
  expect(first({ total: 25, hottest: many }, 'bytes')).toHaveLength(LISTED);
});

test('of each kind there is a list, unless nothing is measured', () => {
  const none = { total: 0, hottest: [] };
  const one = { total: 1, hottest: [peer(1, [1, 1, 1])] };
  const peers = { read_peers: none, read_leaders: none, write_peers: none, write_leaders: one };
  const hot: Hot = { stores: [], peers };
  expect(peersOf(hot, 'write', 'leaders')).toBe(one);
  expect(peersOf(hot, 'read', 'peers')).toBe(none);
});

test('a part of what its store bears', () => {
  const loads = [load(1, [200, 0, 10])];
  expect(partOfStore(peer(1, [50, 0, 0]), loads, 'read', 'bytes')).toBe(0.25);
  expect(partOfStore(peer(1, [0, 0, 40]), loads, 'read', 'queries')).toBe(1);
  expect(partOfStore(peer(1, [50, 5, 0]), loads, 'read', 'keys')).toBeNull();
  expect(partOfStore(peer(1, [50, 0, 0], 2), loads, 'read', 'bytes')).toBeNull();
});
