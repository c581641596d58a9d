import { percent } from '../format';
import type { Bar } from '../live/balance';
import { Crowd } from './Crowd';
import { describe } from './StateBadge';

/** More columns than this get no figures below them; still more become one profile. */
const LABELLED_MAX = 16;
const COLUMNS_MAX = 80;
/** A column further from its even share than this is pointed out. */
const FAR = 0.25;

interface Words {
  /** A value in full, for the tooltip and for those who listen. */
  text: (value: number) => string;
  /** What stands below its column. */
  brief: (value: number) => string;
  /** Before the id of a store: what tests find the value by. */
  testId: string;
}

function Column(props: { bar: Bar; top: number; labelled: boolean; words: Words }) {
  const { bar, top, words } = props;
  const { tone, word } = describe(bar.store);
  const height = (value: number) => `${top === 0 ? 0 : (value / top) * 100}%`;
  const share = bar.ideal === 0 ? 0 : (bar.value - bar.ideal) / bar.ideal;
  const name = `Store ${bar.store.id}, ${bar.store.address}, ${word}`;
  const about = `${name}: ${words.text(bar.value)}, even share ${words.text(bar.ideal)}`;
  return (
    <li class={`column ${tone}`} title={about}>
      <span class="sr">{about}</span>
      <div class="well" aria-hidden="true">
        <div class="fill" style={`height:${height(bar.value)}`} />
        <div class="mark" style={`bottom:${height(bar.ideal)}`} />
      </div>
      {props.labelled && (
        <div class="foot" aria-hidden="true">
          <b data-testid={`${words.testId}-${bar.store.id}`}>{words.brief(bar.value)}</b>
          <span>store {bar.store.id}</span>
          <em class={Math.abs(bar.off) > FAR ? 'far' : ''}>
            {bar.ideal === 0 ? 'to empty' : `${share >= 0 ? '+' : '−'}${percent(Math.abs(share))}`}
          </em>
        </div>
      )}
    </li>
  );
}

/** One column a store with a mark at its even share, or one profile of all when they are too many. */
export function Columns({ bars, ...words }: { bars: readonly Bar[] } & Words) {
  if (bars.length > COLUMNS_MAX) return <Crowd bars={bars} />;
  const top = bars.reduce((most, bar) => Math.max(most, bar.value, bar.ideal), 0) * 1.06;
  const labelled = bars.length <= LABELLED_MAX;
  return (
    <ul class={`columns ${labelled ? '' : 'dense'}`}>
      {bars.map((bar) => (
        <Column key={bar.store.id} bar={bar} top={top} labelled={labelled} words={words} />
      ))}
    </ul>
  );
}
