import { percent } from '../format';
import type { Bar } from '../live/balance';

const ENDS = 4;

interface Ranked {
  id: number;
  /** 1 is an even share. */
  share: number;
}

function off({ id, share }: Ranked): string {
  return `store ${id} ${share >= 1 ? '+' : '−'}${percent(Math.abs(share - 1))}`;
}

/** More stores than columns fit: their shares in rising order as one profile, flat when they are even. */
export function Crowd({ bars }: { bars: readonly Bar[] }) {
  const ranked = bars
    .filter((bar) => bar.ideal > 0)
    .map((bar): Ranked => ({ id: bar.store.id, share: bar.value / bar.ideal }))
    .sort((a, b) => a.share - b.share);
  const leaving = bars.length - ranked.length;
  const top = Math.max(2, ranked[ranked.length - 1]?.share ?? 0);
  const y = (share: number) => (100 - (share / top) * 100).toFixed(2);
  const width = ranked.length;
  const steps = ranked.map(({ share }, i) => `H${i} V${y(share)} H${i + 1}`).join(' ');
  const low = ranked.slice(0, ENDS);
  const high = ranked.slice(-ENDS).reverse();
  return (
    <div class="crowd">
      <svg viewBox={`0 0 ${Math.max(1, width)} 100`} preserveAspectRatio="none" aria-hidden="true">
        <path d={`M0 100 ${steps} V100 Z`} class="crowd-area" />
        <path d={`M0 ${y(1)} H${width}`} class="crowd-even" vector-effect="non-scaling-stroke" />
      </svg>
      <p>
        {ranked.length} stores from the emptiest to the fullest. Least: {low.map(off).join(', ')}.
        Most: {high.map(off).join(', ')}.{leaving > 0 && ` ${leaving} more have to become empty.`}
      </p>
    </div>
  );
}
