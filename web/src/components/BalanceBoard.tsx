import { useState } from 'preact/hooks';

import type { Store } from '../api/types';
import { bytes, count, percent, short } from '../format';
import { verdict, weigh, type Weighing } from '../live/balance';
import { Choice } from './Choice';
import { Columns } from './Columns';

const CHOICES: { key: Weighing; name: string }[] = [
  { key: 'leaders', name: 'Leaders' },
  { key: 'regions', name: 'Regions' },
  { key: 'space', name: 'Space' },
];

/** Who carries how much, against an even share: the answer to "is it balanced?" in one look. */
export function BalanceBoard({ stores }: { stores: Store[] }) {
  const [weighing, setWeighing] = useState<Weighing>('leaders');
  const { bars, spread } = weigh(stores, weighing);
  const { word, tone } = verdict(spread);
  const space = weighing === 'space';
  return (
    <section class="card board" aria-labelledby="board-title">
      <div class="card-head">
        <h2 id="board-title">Balance</h2>
        <span class={`badge ${tone}`} data-testid="verdict">
          {spread === 0 ? word : `${word}, ${percent(spread)} off at most`}
        </span>
        <Choice label="Weigh by" options={CHOICES} value={weighing} onPick={setWeighing} />
      </div>
      <Columns
        bars={bars}
        text={(value) => (space ? bytes(value) : count(Math.round(value)))}
        brief={space ? bytes : short}
        testId={`bar-${weighing}`}
      />
      <p class="hint">
        <i class="mark-sample" aria-hidden="true" /> even share
        {space ? ', by capacity' : ', by weight'}
      </p>
    </section>
  );
}
