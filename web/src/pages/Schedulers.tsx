import { Empty, NoStores, OnlyLeaderKnows, Untold } from '../components/Empty';
import { SchedulerCard } from '../components/SchedulerCard';
import { snapshot } from '../live/state';
import { tally } from '../live/schedulers';

function List() {
  const now = snapshot.value!;
  if (now.stores.length === 0) {
    return now.answered_by.leads ? <NoStores /> : <OnlyLeaderKnows now={now} />;
  }
  if (now.schedulers === undefined) return <Untold />;
  if (now.schedulers.length === 0) {
    return (
      <section class="card">
        <Empty title="No schedulers">
          <p>Nothing balances this cluster. Checkers repair regions all the same.</p>
          <pre tabIndex={0}>
            <code>pdctl scheduler add balance-leader-scheduler</code>
          </pre>
        </Empty>
      </section>
    );
  }
  return (
    <>
      <p class="lead" data-testid="tally">
        {tally(now.schedulers)}. What the checkers pass over stands with the{' '}
        <a href="#/operators">operators</a>.
      </p>
      <ul class="stack">
        {now.schedulers.map((scheduler) => (
          <SchedulerCard key={scheduler.name} scheduler={scheduler} />
        ))}
      </ul>
    </>
  );
}

export function Schedulers() {
  if (snapshot.value === null) return null;
  return (
    <>
      <h1>Schedulers</h1>
      <List />
    </>
  );
}
