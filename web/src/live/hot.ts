import type { Hot, HotPeer, HotPeers, Rates, Store, StoreLoad } from '../api/types';
import type { Bar } from './balance';

export type Flow = 'read' | 'write';
export type Dimension = 'bytes' | 'keys' | 'queries';
export type Role = 'peers' | 'leaders';

const INDEX: Record<Dimension, 0 | 1 | 2> = { bytes: 0, keys: 1, queries: 2 };

export function rateOf(rates: Rates, dimension: Dimension): number {
  return rates[INDEX[dimension]];
}

/** So much above an even share is no heat, whatever share it is of a little load; a second. */
const SLACK: Record<Dimension, number> = { bytes: 8 * 1024, keys: 128, queries: 128 };

export interface LoadBars {
  /** By id of the store; only stores whose load is known. */
  bars: Bar[];
  total: number;
  /** Stores that are there but not heard of. */
  unheard: Store[];
}

/** What each store bears against an even share. A store that leaves has an even share of nothing. */
export function loadBars(
  stores: readonly Store[],
  loads: readonly StoreLoad[],
  flow: Flow,
  dimension: Dimension,
): LoadBars {
  const known = new Map(loads.map((load) => [load.id, load]));
  const living = stores.filter((store) => store.state !== 'Tombstone');
  const heard = living.filter((store) => known.has(store.id));
  const value = (store: Store) => rateOf(known.get(store.id)![flow], dimension);
  const total = heard.reduce((sum, store) => sum + value(store), 0);
  const sharing = heard.filter((store) => store.state === 'Up').length;
  const bars = heard.map((store): Bar => {
    const ideal = store.state === 'Up' ? total / sharing : 0;
    const even = ideal === 0 || Math.abs(value(store) - ideal) <= SLACK[dimension];
    return { store, value: value(store), ideal, off: even ? 0 : (value(store) - ideal) / ideal };
  });
  return { bars, total, unheard: living.filter((store) => !known.has(store.id)) };
}

export interface Heat {
  store_id: number;
  /** How many even shares it bears. */
  times: number;
}

/** The store that bears most for its share; null where none bears more than an even one, slack included. */
export function hottest(bars: readonly Bar[]): Heat | null {
  let most: Bar | null = null;
  for (const bar of bars) if (bar.off > 0 && (most === null || bar.off > most.off)) most = bar;
  return most === null ? null : { store_id: most.store.id, times: 1 + most.off };
}

export function heatTone(heat: Heat | null): 'good' | 'fair' | 'bad' {
  if (heat === null || heat.times <= 1.25) return 'good';
  return heat.times <= 2 ? 'fair' : 'bad';
}

export function sumOf(loads: readonly StoreLoad[], flow: Flow, dimension: Dimension): number {
  return loads.reduce((sum, load) => sum + rateOf(load[flow], dimension), 0);
}

export function peersOf(hot: Hot, flow: Flow, role: Role): HotPeers {
  return hot.peers[`${flow}_${role}`];
}

/** How many the server lists by each of the rates: only so many are sure to be the first. */
export const LISTED = 10;

/** The first by one rate; those as hot as each other in the order of their regions. */
export function first(peers: HotPeers, dimension: Dimension): HotPeer[] {
  return [...peers.hottest]
    .sort(
      (a, b) =>
        rateOf(b.rates, dimension) - rateOf(a.rates, dimension) ||
        a.region_id - b.region_id ||
        a.store_id - b.store_id,
    )
    .slice(0, LISTED);
}

/**
 * What part of its store's load a peer is. null where the store's is not known. Regions and stores report at different
 * times, so a peer may seem to bear more than its store does.
 */
export function partOfStore(
  peer: HotPeer,
  loads: readonly StoreLoad[],
  flow: Flow,
  dimension: Dimension,
): number | null {
  const load = loads.find((one) => one.id === peer.store_id);
  const all = load === undefined ? 0 : rateOf(load[flow], dimension);
  return all === 0 ? null : Math.min(1, rateOf(peer.rates, dimension) / all);
}
