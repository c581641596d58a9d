import type { Snapshot } from '../api/types';
import { StoreChart } from '../charts/StoreChart';
import { TimeChart } from '../charts/TimeChart';
import { BalanceBoard } from '../components/BalanceBoard';
import { Empty, NoStores, OnlyLeaderKnows } from '../components/Empty';
import { OperatorRow } from '../components/OperatorRow';
import { Tile } from '../components/Tile';
import { bytes, count, percent, rate, short, title } from '../format';
import { finishedPerMinute, totals } from '../live/history';
import { history, snapshot } from '../live/state';

const SHOWN_OPERATORS = 5;
/** Of all regions: before so many have reported, a new leader plans nothing. */
const PLANNING_SHARE = 0.9;

function Tiles({ now }: { now: Snapshot }) {
  const living = now.stores.filter((store) => store.state !== 'Tombstone');
  const up = living.filter((store) => store.state === 'Up').length;
  const silent = living.filter(
    (store) => store.state === 'Down' || store.state === 'Disconnected',
  ).length;
  const used = living.reduce((sum, store) => sum + store.used_bytes, 0);
  const capacity = living.reduce((sum, store) => sum + store.capacity_bytes, 0);
  const available = living.reduce((sum, store) => sum + store.available_bytes, 0);
  const healthy = now.members.filter((member) => member.healthy !== false).length;
  const warming = now.regions.reported < now.regions.count;
  return (
    <div class="tiles">
      <Tile
        id="tile-stores"
        label="Stores up"
        tone={
          living.length === 0 ? 'plain' : silent > 0 ? 'bad' : up < living.length ? 'fair' : 'good'
        }
        value={
          <>
            {up}
            <small> of {living.length}</small>
          </>
        }
        note={
          living.length === 0
            ? 'none yet'
            : silent > 0
              ? `${silent} silent`
              : up < living.length
                ? `${living.length - up} joining or leaving`
                : 'all answering'
        }
      />
      <Tile
        id="tile-regions"
        label="Regions"
        value={count(now.regions.count)}
        note={
          warming
            ? `${percent(now.regions.reported / Math.max(1, now.regions.count))} heard of so far`
            : `${bytes(now.regions.size_mib * 1024 ** 2)} of data`
        }
        tone={warming ? 'fair' : 'plain'}
      />
      <Tile
        id="tile-space"
        label="Space used"
        value={bytes(used)}
        share={capacity === 0 ? 0 : 1 - available / capacity}
        note={`${bytes(available)} free of ${bytes(capacity)}`}
      />
      <Tile
        id="tile-operators"
        label="Operators running"
        value={count(now.operators.running_count)}
        note={`${count(now.operators.finished_total)} ended under ${now.leader?.name ?? 'no leader'}`}
      />
      <Tile
        id="tile-leader"
        label="PD leader"
        value={now.leader?.name ?? 'none'}
        tone={now.leader === null ? 'bad' : healthy < now.members.length ? 'fair' : 'good'}
        note={`${healthy} of ${now.members.length} members healthy`}
      />
    </div>
  );
}

/** Why nothing moves: planning waits for the stores to report, or has nothing to do. */
function Idle({ now }: { now: Snapshot }) {
  if (now.regions.reported < now.regions.count * PLANNING_SHARE) {
    return (
      <Empty title="Listening first">
        <p class="dim">
          {now.leader?.name} plans once nine in ten regions have reported to it, so far{' '}
          {percent(now.regions.reported / now.regions.count)}.
        </p>
      </Empty>
    );
  }
  const even = now.refusals.find((refusal) => refusal.reason === 'already-balanced');
  const first = even ?? now.refusals[0];
  return (
    <Empty title="Nothing has to move">
      {first !== undefined && (
        <p class="dim">
          {title(first.source)}: {first.text}.
        </p>
      )}
    </Empty>
  );
}

function InMotion({ now }: { now: Snapshot }) {
  const running = now.operators.running;
  return (
    <section class="card motion" aria-labelledby="motion-title">
      <div class="card-head">
        <h2 id="motion-title">In motion</h2>
        <a href="#/operators">All operators</a>
      </div>
      {running.length === 0 ? (
        <Idle now={now} />
      ) : (
        <ul class="ops">
          {running.slice(0, SHOWN_OPERATORS).map((op) => (
            <OperatorRow key={`${op.region_id} ${op.desc}`} op={op} />
          ))}
        </ul>
      )}
      {now.operators.running_count > SHOWN_OPERATORS && (
        <p class="hint">
          <a href="#/operators">and {now.operators.running_count - SHOWN_OPERATORS} more</a>
        </p>
      )}
    </section>
  );
}

function Charts() {
  const samples = history.value;
  const times_s = samples.map((sample) => sample.time_ms / 1000);
  return (
    <div class="charts">
      <StoreChart title="Leaders" measure="leaders" format={short} />
      <StoreChart title="Regions" measure="regions" format={short} />
      <TimeChart
        title="Operators"
        times_s={times_s}
        format={short}
        fromZero
        lines={[
          { name: 'running', values: samples.map((sample) => sample.running) },
          { name: 'ended in the last minute', values: finishedPerMinute(samples) },
        ]}
      />
      <TimeChart
        title="Traffic"
        times_s={times_s}
        format={rate}
        fromZero
        lines={[
          { name: 'read', values: totals(samples, 'read') },
          { name: 'written', values: totals(samples, 'write') },
        ]}
      />
    </div>
  );
}

export function Overview() {
  const now = snapshot.value;
  if (now === null) return null;
  return (
    <>
      <h1 class="sr">Overview</h1>
      {!now.answered_by.leads && now.stores.length === 0 ? (
        <OnlyLeaderKnows now={now} />
      ) : (
        <Tiles now={now} />
      )}
      {now.stores.length === 0 ? (
        now.answered_by.leads && <NoStores />
      ) : (
        <>
          <div class="two level">
            <BalanceBoard stores={now.stores} />
            <InMotion now={now} />
          </div>
          <Charts />
        </>
      )}
    </>
  );
}
