import { useState } from 'preact/hooks';

import type { Hot, HotPeer, Snapshot, Store, StoreLoad } from '../api/types';
import { StoreChart } from '../charts/StoreChart';
import { Choice } from '../components/Choice';
import { Columns } from '../components/Columns';
import { Empty, NoStores, OnlyLeaderKnows, Untold } from '../components/Empty';
import { SortTable, type ColumnDef } from '../components/SortTable';
import { StateBadge } from '../components/StateBadge';
import { Meter, Tile } from '../components/Tile';
import { count, percent, perSecond, rate } from '../format';
import {
  first,
  heatTone,
  hottest,
  LISTED,
  loadBars,
  partOfStore,
  peersOf,
  rateOf,
  sumOf,
  type Dimension,
  type Flow,
  type Role,
} from '../live/hot';
import { snapshot } from '../live/state';

const FLOWS: { key: Flow; name: string }[] = [
  { key: 'read', name: 'Reads' },
  { key: 'write', name: 'Writes' },
];
const DIMENSIONS: { key: Dimension; name: string }[] = [
  { key: 'bytes', name: 'Bytes' },
  { key: 'keys', name: 'Keys' },
  { key: 'queries', name: 'Queries' },
];
const ROLES: { key: Role; name: string }[] = [
  { key: 'peers', name: 'Peers' },
  { key: 'leaders', name: 'Leaders' },
];
const NOUN: Record<Flow, string> = { read: 'reads', write: 'writes' };

function text(value: number, dimension: Dimension): string {
  return dimension === 'bytes' ? rate(value) : perSecond(value);
}

function Tiles({ loads }: { loads: readonly StoreLoad[] }) {
  return (
    <div class="tiles flows">
      {FLOWS.map(({ key: flow }) => (
        <Tile
          key={flow}
          id={`tile-${flow}`}
          label={flow === 'read' ? 'Read, all stores' : 'Written, all stores'}
          value={rate(sumOf(loads, flow, 'bytes'))}
          note={`${perSecond(sumOf(loads, flow, 'keys'))} keys, ${perSecond(
            sumOf(loads, flow, 'queries'),
          )} queries`}
        />
      ))}
    </div>
  );
}

interface Chosen {
  flow: Flow;
  dimension: Dimension;
}

function LoadBoard({ now, hot, chosen }: { now: Snapshot; hot: Hot; chosen: Chosen }) {
  const { flow, dimension } = chosen;
  const { bars, total, unheard } = loadBars(now.stores, hot.stores, flow, dimension);
  const heat = hottest(bars);
  const even = bars.find((bar) => bar.ideal > 0)?.ideal ?? 0;
  const named = unheard.map((store) => store.id).join(', ');
  return (
    <section class="card board" aria-labelledby="load-title">
      <div class="card-head">
        <h2 id="load-title">
          Who bears the {NOUN[flow]}, by {dimension}
        </h2>
        {total > 0 && (
          <span class={`badge ${heatTone(heat)}`} data-testid="heat">
            {heat === null
              ? 'even'
              : `store ${heat.store_id} bears ${heat.times.toFixed(1)} even shares`}
          </span>
        )}
      </div>
      {total === 0 ? (
        <Empty title={`No ${NOUN[flow]}`}>
          <p>
            {bars.length === 0
              ? 'No store has reported what it bears yet.'
              : `The stores report none between their last two heartbeats.`}
          </p>
        </Empty>
      ) : (
        <Columns
          bars={bars}
          text={(value) => `${text(value, dimension)}, ${percent(value / total)}`}
          brief={(value) => percent(value / total)}
          testId="load"
        />
      )}
      <p class="hint">
        {total > 0 && (
          <>
            <i class="mark-sample" aria-hidden="true" /> even share: {text(even, dimension)} a store
          </>
        )}
        {unheard.length > 0 && ` Not heard: store ${named}.`}
      </p>
    </section>
  );
}

interface PeerRow {
  peer: HotPeer;
  part: number | null;
}

const ROLE_WORDS = { leader: 'Leader', follower: 'Follower', learner: 'Learner' };
const PEER_COLUMNS: ColumnDef<PeerRow>[] = [
  {
    key: 'region',
    name: 'Region',
    sort: ({ peer }) => peer.region_id,
    cell: ({ peer }) => <b>{peer.region_id}</b>,
  },
  {
    key: 'store',
    name: 'On store',
    number: true,
    sort: ({ peer }) => peer.store_id,
    cell: ({ peer }) => peer.store_id,
  },
  {
    key: 'role',
    name: 'Role',
    sort: ({ peer }) => peer.role,
    cell: ({ peer }) => ROLE_WORDS[peer.role],
  },
  {
    key: 'degree',
    name: 'Degree',
    number: true,
    sort: ({ peer }) => peer.degree,
    cell: ({ peer }) => (
      <span title="Reports in a row that it has been hot for">{peer.degree}</span>
    ),
  },
  ...DIMENSIONS.map(({ key, name }): ColumnDef<PeerRow> => ({
    key,
    name,
    number: true,
    sort: ({ peer }) => rateOf(peer.rates, key),
    cell: ({ peer }) => text(rateOf(peer.rates, key), key),
  })),
  {
    key: 'part',
    name: 'Of its store',
    sort: ({ part }) => part ?? -1,
    cell: ({ part }) =>
      part === null ? (
        '–'
      ) : (
        <div class="space">
          <Meter share={part} label="Part of the load of its store" plain />
          <span>{percent(part)}</span>
        </div>
      ),
  },
];

function Hottest({ hot, chosen }: { hot: Hot; chosen: Chosen }) {
  const [role, setRole] = useState<Role>('peers');
  const { flow, dimension } = chosen;
  const peers = peersOf(hot, flow, role);
  const rows = first(peers, dimension).map((peer) => ({
    peer,
    part: partOfStore(peer, hot.stores, flow, dimension),
  }));
  return (
    <section class="card table-card titled" aria-labelledby="hottest-title">
      <div class="card-head">
        <h2 id="hottest-title">
          Hottest for {NOUN[flow]}, by {dimension}
        </h2>
        <span class="dim">{count(peers.total)} hot</span>
        <Choice label="Which" options={ROLES} value={role} onPick={setRole} />
      </div>
      {rows.length === 0 ? (
        <Empty title="Nothing is hot">
          <p>
            No {role === 'leaders' ? 'leader' : 'peer'} stands out from what its store{' '}
            {flow === 'read' ? 'reads' : 'writes'}.
          </p>
        </Empty>
      ) : (
        <>
          <SortTable
            key={dimension}
            columns={PEER_COLUMNS}
            rows={rows}
            id={({ peer }) => `hot-${peer.region_id}-${peer.store_id}`}
            order={{ key: dimension, down: true }}
            label="Hottest regions"
            nothing=""
          />
          {peers.total > rows.length && (
            <p class="hint">
              The first {LISTED} of {count(peers.total)} by {dimension}.
            </p>
          )}
        </>
      )}
    </section>
  );
}

interface LoadRow {
  store: Store;
  load: StoreLoad | undefined;
}

const LOAD_COLUMNS: ColumnDef<LoadRow>[] = [
  {
    key: 'id',
    name: 'Store',
    sort: ({ store }) => store.id,
    cell: ({ store }) => (
      <div class="store-name">
        <b>{store.id}</b> <span>{store.address}</span>
      </div>
    ),
  },
  {
    key: 'state',
    name: 'State',
    sort: ({ store }) => store.state,
    cell: ({ store }) => <StateBadge store={store} />,
  },
  // In pairs, so that on a narrow screen reads stand left and writes right.
  ...DIMENSIONS.flatMap(({ key, name }) =>
    FLOWS.map(({ key: flow }): ColumnDef<LoadRow> => ({
      key: `${flow} ${key}`,
      name: `${flow === 'read' ? 'Read' : 'Written'} ${name.toLowerCase()}`,
      number: true,
      sort: ({ load }) => (load === undefined ? -1 : rateOf(load[flow], key)),
      cell: ({ load }) => (load === undefined ? '–' : text(rateOf(load[flow], key), key)),
    })),
  ),
];

function Loads({ now, hot }: { now: Snapshot; hot: Hot }) {
  const known = new Map(hot.stores.map((load) => [load.id, load]));
  const rows = now.stores
    .filter((store) => store.state !== 'Tombstone')
    .map((store) => ({ store, load: known.get(store.id) }));
  return (
    <section class="card table-card titled" aria-labelledby="loads-title">
      <div class="card-head">
        <h2 id="loads-title">Loads of the stores, a second</h2>
      </div>
      <SortTable
        columns={LOAD_COLUMNS}
        rows={rows}
        id={({ store }) => `load-of-${store.id}`}
        order={{ key: 'id', down: false }}
        label="Loads of the stores"
        nothing="No stores."
      />
    </section>
  );
}

function Figures({ now }: { now: Snapshot }) {
  const [flow, setFlow] = useState<Flow>('read');
  const [dimension, setDimension] = useState<Dimension>('bytes');
  if (now.stores.length === 0) {
    return now.answered_by.leads ? <NoStores /> : <OnlyLeaderKnows now={now} />;
  }
  if (now.hot === undefined) return <Untold />;
  const chosen = { flow, dimension };
  return (
    <>
      <div class="page-tools">
        <Choice label="Reads or writes" options={FLOWS} value={flow} onPick={setFlow} />
        <Choice label="Count" options={DIMENSIONS} value={dimension} onPick={setDimension} />
      </div>
      <div class="two level">
        <LoadBoard now={now} hot={now.hot} chosen={chosen} />
        <div>
          <Tiles loads={now.hot.stores} />
          <StoreChart
            title={flow === 'read' ? 'Read by each store' : 'Written by each store'}
            measure={flow}
            format={rate}
          />
        </div>
      </div>
      <div class="stack">
        <Hottest hot={now.hot} chosen={chosen} />
        <Loads now={now} hot={now.hot} />
      </div>
    </>
  );
}

export function HotRegions() {
  const now = snapshot.value;
  if (now === null) return null;
  return (
    <>
      <h1>Hot regions</h1>
      <Figures now={now} />
    </>
  );
}
