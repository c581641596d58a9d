import type { Store } from '../api/types';

export type Weighing = 'leaders' | 'regions' | 'space';

export interface Bar {
  store: Store;
  /** Count, or bytes used. */
  value: number;
  /** What the store would hold if all were even, by weight or by capacity. */
  ideal: number;
  /** How far from it, as a share of it; 0 within the slack, and where the ideal is nothing. */
  off: number;
}

/** So much more or less than an even share is not worth a move, whatever share it is of a small number. */
const SLACK: Record<Weighing, number> = { leaders: 5, regions: 5, space: 0 };

export interface Balance {
  bars: Bar[];
  /** Largest distance from the ideal, as a share of it; 0 is even, slack included. */
  spread: number;
}

const MOVES = new Set(['Up', 'Disconnected', 'Offline']);

function valueOf(store: Store, weighing: Weighing): number {
  if (weighing === 'leaders') return store.leader_count;
  return weighing === 'regions' ? store.region_count : store.used_bytes;
}

function weightOf(store: Store, weighing: Weighing): number {
  if (store.state !== 'Up') return 0;
  if (weighing === 'leaders') return store.leader_weight;
  return weighing === 'regions' ? store.region_weight : store.capacity_bytes;
}

/** Who holds how much against an even share. Stores that are leaving have an even share of nothing. */
export function weigh(stores: readonly Store[], weighing: Weighing): Balance {
  const shown = stores.filter((store) => MOVES.has(store.state) || store.region_count > 0);
  const total = shown.reduce((sum, store) => sum + valueOf(store, weighing), 0);
  const weights = shown.reduce((sum, store) => sum + weightOf(store, weighing), 0);
  const bars = shown.map((store): Bar => {
    const value = valueOf(store, weighing);
    const ideal = weights === 0 ? 0 : (total * weightOf(store, weighing)) / weights;
    const even = ideal === 0 || Math.abs(value - ideal) <= SLACK[weighing];
    return { store, value, ideal, off: even ? 0 : (value - ideal) / ideal };
  });
  const spread = bars.reduce((worst, bar) => Math.max(worst, Math.abs(bar.off)), 0);
  return { bars, spread };
}

export function verdict(spread: number): { word: string; tone: 'good' | 'fair' | 'bad' } {
  if (spread <= 0.05) return { word: 'even', tone: 'good' };
  if (spread <= 0.25) return { word: 'settling', tone: 'fair' };
  return { word: 'uneven', tone: 'bad' };
}
