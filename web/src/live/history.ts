import type { Sample, Snapshot } from '../api/types';

export const HISTORY_MAX = 300;

export type Measure = 'leaders' | 'regions' | 'used' | 'read' | 'write';
const INDEX: Record<Measure, 0 | 1 | 2 | 3 | 4> = {
  leaders: 0,
  regions: 1,
  used: 2,
  read: 3,
  write: 4,
};

export function sampleOf(snapshot: Snapshot): Sample {
  const stores: Sample['stores'] = {};
  for (const store of snapshot.stores) {
    stores[store.id] = [
      store.leader_count,
      store.region_count,
      store.used_bytes,
      store.read_bytes_per_s,
      store.write_bytes_per_s,
    ];
  }
  return {
    time_ms: snapshot.time_ms,
    stores,
    running: snapshot.operators.running_count,
    finished_total: snapshot.operators.finished_total,
  };
}

/** Appends what is newer than the last sample and keeps the newest HISTORY_MAX. */
export function extend(history: readonly Sample[], samples: readonly Sample[]): Sample[] {
  const all = [...history];
  for (const sample of samples) {
    const last = all[all.length - 1];
    if (last === undefined || sample.time_ms > last.time_ms) all.push(sample);
  }
  return all.slice(-HISTORY_MAX);
}

/** What the server remembers, then what this page saw after it. */
export function merge(remembered: readonly Sample[], seen: readonly Sample[]): Sample[] {
  const end = remembered[remembered.length - 1]?.time_ms ?? -Infinity;
  const start = remembered[0]?.time_ms ?? Infinity;
  const before = seen.filter((sample) => sample.time_ms < start);
  const after = seen.filter((sample) => sample.time_ms > end);
  return extend([], [...before, ...remembered, ...after]);
}

export interface Series {
  times_s: number[];
  lines: { id: string; values: (number | null)[] }[];
}

export function perStore(history: readonly Sample[], measure: Measure): Series {
  const ids = new Set<string>();
  for (const sample of history) for (const id of Object.keys(sample.stores)) ids.add(id);
  const at = INDEX[measure];
  return {
    times_s: history.map((sample) => sample.time_ms / 1000),
    lines: [...ids]
      .sort((a, b) => Number(a) - Number(b))
      .map((id) => ({ id, values: history.map((sample) => sample.stores[id]?.[at] ?? null) })),
  };
}

/** Lowest, mean and highest of all stores: what is drawn when lines would be too many. */
export function band(series: Series): Series {
  const low: number[] = [];
  const mean: number[] = [];
  const high: number[] = [];
  for (let i = 0; i < series.times_s.length; i += 1) {
    const values = series.lines
      .map((line) => line.values[i])
      .filter((value): value is number => value != null);
    const sum = values.reduce((total, value) => total + value, 0);
    low.push(values.length === 0 ? 0 : Math.min(...values));
    high.push(values.length === 0 ? 0 : Math.max(...values));
    mean.push(values.length === 0 ? 0 : sum / values.length);
  }
  return {
    times_s: series.times_s,
    lines: [
      { id: 'highest', values: high },
      { id: 'mean', values: mean },
      { id: 'lowest', values: low },
    ],
  };
}

export function totals(history: readonly Sample[], measure: Measure): number[] {
  const at = INDEX[measure];
  return history.map((sample) =>
    Object.values(sample.stores).reduce((sum, values) => sum + values[at], 0),
  );
}

/** Operators that ended in the minute before each sample. */
export function finishedPerMinute(history: readonly Sample[]): number[] {
  let from = 0;
  return history.map((sample) => {
    while ((history[from]?.time_ms ?? 0) < sample.time_ms - 60_000) from += 1;
    const before = history[from]?.finished_total ?? sample.finished_total;
    return Math.max(0, sample.finished_total - before);
  });
}
