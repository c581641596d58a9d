import type { Scheduler, SchedulerRefusal } from '../api/types';
import { ago, count, duration, title } from '../format';
import { byStore, outcome, shortName, STATUS, type Outcome } from '../live/schedulers';

/** What each is there for. Those that are not here have their name only. */
const PURPOSE: Record<string, string> = {
  'balance-leader': 'Gives every store its share of the leaders.',
  'balance-region': 'Gives every store its share of the data.',
  'balance-hot-region': 'Spreads the regions that bear most of the load.',
  'evict-slow-store': 'Takes the leaders off a store that reports itself slow.',
  'evict-stopping-store': 'Takes the leaders off stores that are about to stop.',
  'evict-leader': 'Keeps leaders off the stores it is told.',
  'grant-leader': 'Brings the leaders to the stores it is told.',
};

const HEADING: Record<Outcome, string> = {
  off: 'It does not run',
  full: 'What keeps it from doing more',
  unseen: 'It has not run yet',
  proposed: 'What it passed over meanwhile',
  content: 'Nothing to do',
  held: 'Why it does nothing now',
  silent: 'Nothing to do',
};

/** So many stores are listed at once; the others open. */
const STORES_SHOWN = 4;

function Line({ refusal }: { refusal: SchedulerRefusal }) {
  return (
    <li>
      {refusal.text}
      {refusal.times > 1 && <span class="dim"> × {count(refusal.times)}</span>}{' '}
      <span class="chip">{refusal.reason}</span>
      {refusal.remedy !== '' && (
        <span class="remedy">
          <i aria-hidden="true">→</i>
          <span class="sr">What helps: </span>
          {refusal.remedy}
        </span>
      )}
    </li>
  );
}

function ByStore({ refusals }: { refusals: readonly SchedulerRefusal[] }) {
  const groups = byStore(refusals);
  const list = (some: typeof groups) => (
    <ul class="by-store">
      {some.map(({ store_id, lines }) => (
        <li key={store_id ?? 'all'}>
          <b>{store_id === null ? 'All stores' : `Store ${store_id}`}</b>
          <ul>
            {lines.map((refusal) => (
              <Line key={`${refusal.reason} ${refusal.text}`} refusal={refusal} />
            ))}
          </ul>
        </li>
      ))}
    </ul>
  );
  const more = groups.slice(STORES_SHOWN);
  return (
    <>
      {list(groups.slice(0, STORES_SHOWN))}
      {more.length > 0 && (
        <details>
          <summary>{more.length === 1 ? 'One more store' : `${more.length} more stores`}</summary>
          {list(more)}
        </details>
      )}
    </>
  );
}

function Why({ scheduler }: { scheduler: Scheduler }) {
  const came = outcome(scheduler);
  const unlisted = scheduler.refusals_total - scheduler.refusals.length;
  if (came === 'proposed' && scheduler.refusals.length === 0) return null;
  return (
    <div class="why-not">
      <h3>{HEADING[came]}</h3>
      {came === 'off' && (
        <p class="dim">
          To have it run again: <code>pdctl scheduler add {scheduler.name}</code>
        </p>
      )}
      {came === 'unseen' && <p class="dim">Its first run comes within seconds.</p>}
      {came === 'silent' && <p class="dim">Its latest run found no store to do anything for.</p>}
      <ByStore refusals={scheduler.refusals} />
      {unlisted > 0 && <p class="hint">The first of each reason; {count(unlisted)} more alike.</p>}
    </div>
  );
}

function Limit({ scheduler }: { scheduler: Scheduler }) {
  const { running, limit, kind } = scheduler;
  return (
    <>
      {count(running)}
      {limit !== null && ` of ${count(limit)}`} {kind} operators running
    </>
  );
}

function Facts({ scheduler }: { scheduler: Scheduler }) {
  const last = scheduler.proposed_last;
  return (
    <dl class="facts">
      {scheduler.store_ids.length > 0 && (
        <>
          <dt>Stores</dt>
          <dd>{scheduler.store_ids.join(', ')}</dd>
        </>
      )}
      <dt>Last did</dt>
      <dd>
        {last === null ? (
          'nothing yet'
        ) : (
          <>
            {ago(last.ms_ago)}: {last.brief} <span class="dim">region {last.region_id}</span>
            {last.why !== '' && <span class="why">{last.why}</span>}
          </>
        )}
      </dd>
      <dt>Proposed</dt>
      <dd data-testid={`proposed-${scheduler.name}`}>
        {count(scheduler.proposed_total)}{' '}
        {scheduler.proposed_total === 1 ? 'operator' : 'operators'}
        {scheduler.proposed_latest > 0 && `, ${count(scheduler.proposed_latest)} in its latest run`}
      </dd>
      {scheduler.status !== 'disabled' && (
        <>
          <dt>Limit</dt>
          <dd>
            <Limit scheduler={scheduler} />
          </dd>
          <dt>{scheduler.status === 'running' ? 'Last run' : 'Last asked'}</dt>
          <dd>{scheduler.ran_ms_ago === null ? 'not yet' : ago(scheduler.ran_ms_ago)}</dd>
        </>
      )}
    </dl>
  );
}

/** One scheduler: whether it runs, what it did last, and what keeps it from doing more. */
export function SchedulerCard({ scheduler }: { scheduler: Scheduler }) {
  const { status } = scheduler;
  const { word, tone, mark } = STATUS[status];
  const paused = scheduler.resumes_in_ms !== null;
  const name = shortName(scheduler.name);
  const id = `scheduler-${scheduler.name}`;
  return (
    <li class={`card scheduler ${status}`} data-testid={id}>
      <div class="card-head">
        <h2 id={id}>{title(name)}</h2>
        <span class="badges">
          <span class={`badge ${tone}`}>
            <i aria-hidden="true">{mark}</i>
            {word}
            {paused && status === 'paused' && ` for ${duration(scheduler.resumes_in_ms!)} more`}
          </span>
          {paused && status !== 'paused' && (
            <span class="badge fair">
              <i aria-hidden="true">{STATUS.paused.mark}</i>
              Paused as well
            </span>
          )}
        </span>
      </div>
      {PURPOSE[name] !== undefined && <p class="purpose">{PURPOSE[name]}</p>}
      <div class="scheduler-body">
        <Facts scheduler={scheduler} />
        <Why scheduler={scheduler} />
      </div>
    </li>
  );
}
