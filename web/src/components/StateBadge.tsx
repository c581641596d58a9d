import type { Store } from '../api/types';

/** What people call it, and how worried they should be. Shape as well as colour tells them apart. */
export function describe(store: Store): {
  word: string;
  tone: 'good' | 'fair' | 'bad' | 'off';
  mark: string;
} {
  switch (store.state) {
    case 'Tombstone':
      return { word: 'Tombstone', tone: 'off', mark: '✝' };
    case 'Down':
      return { word: 'Down', tone: 'bad', mark: '✕' };
    case 'Disconnected':
      return { word: 'Disconnected', tone: 'bad', mark: '!' };
    case 'Offline':
      return { word: 'Leaving', tone: 'fair', mark: '↗' };
    default:
      if (store.node_state === 'Preparing') return { word: 'Joining', tone: 'fair', mark: '↘' };
      if (store.slow_score >= 80) return { word: 'Slow', tone: 'fair', mark: '~' };
      if (store.low_space) return { word: 'Nearly full', tone: 'fair', mark: '!' };
      return store.busy
        ? { word: 'Busy', tone: 'fair', mark: '~' }
        : { word: 'Up', tone: 'good', mark: '✓' };
  }
}

export function StateBadge({ store }: { store: Store }) {
  const { word, tone, mark } = describe(store);
  return (
    <span class={`badge ${tone}`}>
      <i aria-hidden="true">{mark}</i>
      {word}
    </span>
  );
}
