import { useState } from 'preact/hooks';

import type { Store } from '../api/types';
import { bytes, count, percent, short } from '../format';
import { verdict, weigh, type Bar, type Weighing } from '../live/balance';
import { Crowd } from './Crowd';
import { describe } from './StateBadge';

const CHOICES: { key: Weighing; name: string }[] = [
  { key: 'leaders', name: 'Leaders' },
  { key: 'regions', name: 'Regions' },
  { key: 'space', name: 'Space' },
];
/** More columns than this get no figures below them; still more become one profile. */
const LABELLED_MAX = 16;
const COLUMNS_MAX = 80;

function text(value: number, weighing: Weighing): string {
  return weighing === 'space' ? bytes(value) : count(Math.round(value));
}

function Column(props: { bar: Bar; top: number; weighing: Weighing; labelled: boolean }) {
  const { bar, top, weighing } = props;
  const { tone, word } = describe(bar.store);
  const height = (value: number) => `${top === 0 ? 0 : (value / top) * 100}%`;
  const share = bar.ideal === 0 ? 0 : (bar.value - bar.ideal) / bar.ideal;
  const name = `Store ${bar.store.id}, ${bar.store.address}, ${word}`;
  const about = `${name}: ${text(bar.value, weighing)}, even share ${text(bar.ideal, weighing)}`;
  return (
    <li class={`column ${tone}`} title={about}>
      <span class="sr">{about}</span>
      <div class="well" aria-hidden="true">
        <div class="fill" style={`height:${height(bar.value)}`} />
        <div class="mark" style={`bottom:${height(bar.ideal)}`} />
      </div>
      {props.labelled && (
        <div class="foot" aria-hidden="true">
          <b data-testid={`bar-${weighing}-${bar.store.id}`}>
            {weighing === 'space' ? bytes(bar.value) : short(bar.value)}
          </b>
          <span>store {bar.store.id}</span>
          <em class={Math.abs(bar.off) > 0.25 ? 'far' : ''}>
            {bar.ideal === 0 ? 'to empty' : `${share >= 0 ? '+' : '−'}${percent(Math.abs(share))}`}
          </em>
        </div>
      )}
    </li>
  );
}

/** Who carries how much, against an even share: the answer to "is it balanced?" in one look. */
export function BalanceBoard({ stores }: { stores: Store[] }) {
  const [weighing, setWeighing] = useState<Weighing>('leaders');
  const { bars, spread } = weigh(stores, weighing);
  const top = bars.reduce((most, bar) => Math.max(most, bar.value, bar.ideal), 0) * 1.06;
  const { word, tone } = verdict(spread);
  const labelled = bars.length <= LABELLED_MAX;
  return (
    <section class="card board" aria-labelledby="board-title">
      <div class="card-head">
        <h2 id="board-title">Balance</h2>
        <span class={`badge ${tone}`} data-testid="verdict">
          {spread === 0 ? word : `${word}, ${percent(spread)} off at most`}
        </span>
        <div class="choice" role="group" aria-label="Weigh by">
          {CHOICES.map((choice) => (
            <button
              key={choice.key}
              type="button"
              aria-pressed={weighing === choice.key}
              onClick={() => setWeighing(choice.key)}
            >
              {choice.name}
            </button>
          ))}
        </div>
      </div>
      {bars.length > COLUMNS_MAX ? (
        <Crowd bars={bars} />
      ) : (
        <ul class={`columns ${labelled ? '' : 'dense'}`}>
          {bars.map((bar) => (
            <Column
              key={bar.store.id}
              bar={bar}
              top={top}
              weighing={weighing}
              labelled={labelled}
            />
          ))}
        </ul>
      )}
      <p class="hint">
        <i class="mark-sample" aria-hidden="true" /> even share
        {weighing === 'space' ? ', by capacity' : ', by weight'}
      </p>
    </section>
  );
}
