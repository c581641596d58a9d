import { useState } from 'preact/hooks';

import type { Store } from '../api/types';
import { NoStores, OnlyLeaderKnows } from '../components/Empty';
import { SortTable, type ColumnDef } from '../components/SortTable';
import { StateBadge } from '../components/StateBadge';
import { Meter } from '../components/Tile';
import { bytes, count, duration, percent, rate, short } from '../format';
import { nowMs, snapshot } from '../live/state';

function used(store: Store): number {
  return store.capacity_bytes === 0 ? 0 : 1 - store.available_bytes / store.capacity_bytes;
}

/** "63 %, 2 h left" of a store that leaves or is new. */
function way(progress: NonNullable<Store['progress']>): string {
  const rest =
    progress.left_s === null ? 'at a standstill' : `${duration(progress.left_s * 1000)} left`;
  return `${percent(progress.fraction)}, ${rest}`;
}

const COLUMNS: ColumnDef<Store>[] = [
  {
    key: 'id',
    name: 'Store',
    sort: (store) => store.id,
    cell: (store) => (
      <div class="store-name">
        <b>{store.id}</b> <span>{store.address}</span>
        <span class="labels">
          {store.labels.map((label) => (
            <span key={label.key} class="chip">
              {label.key}={label.value}
            </span>
          ))}
        </span>
      </div>
    ),
  },
  {
    key: 'state',
    name: 'State',
    sort: (store) => store.state,
    cell: (store) => (
      <div>
        <StateBadge store={store} />
        {store.progress && <span class="under">{way(store.progress)}</span>}
      </div>
    ),
  },
  {
    key: 'leaders',
    name: 'Leaders',
    number: true,
    sort: (store) => store.leader_count,
    cell: (store) => (
      <div>
        {count(store.leader_count)}
        <span class="under">score {short(store.leader_score)}</span>
      </div>
    ),
  },
  {
    key: 'regions',
    name: 'Regions',
    number: true,
    sort: (store) => store.region_count,
    cell: (store) => (
      <div>
        {count(store.region_count)}
        <span class="under">score {short(store.region_score)}</span>
      </div>
    ),
  },
  {
    key: 'space',
    name: 'Space',
    sort: used,
    cell: (store) => (
      <div class="space">
        <Meter share={used(store)} label="Space" />
        <span>
          {bytes(store.used_bytes)} / {bytes(store.capacity_bytes)}
        </span>
      </div>
    ),
  },
  {
    key: 'read',
    name: 'Read',
    number: true,
    sort: (store) => store.read_bytes_per_s,
    cell: (store) => rate(store.read_bytes_per_s),
  },
  {
    key: 'write',
    name: 'Written',
    number: true,
    sort: (store) => store.write_bytes_per_s,
    cell: (store) => rate(store.write_bytes_per_s),
  },
  {
    key: 'pending',
    name: 'Pending',
    number: true,
    sort: (store) => store.pending_peer_count,
    cell: (store) => count(store.pending_peer_count),
  },
  {
    key: 'snapshots',
    name: 'Snapshots',
    number: true,
    sort: (store) => store.sending_snapshots + store.receiving_snapshots,
    cell: (store) => (
      <span title="sending / receiving">
        ↑{store.sending_snapshots} ↓{store.receiving_snapshots}
      </span>
    ),
  },
  {
    key: 'heartbeat',
    name: 'Heard',
    number: true,
    sort: (store) => store.heartbeat_age_ms ?? Infinity,
    cell: (store) =>
      store.heartbeat_age_ms === null ? 'not yet' : duration(store.heartbeat_age_ms),
  },
  {
    key: 'uptime',
    name: 'Up for',
    number: true,
    sort: (store) => store.start_time_s,
    cell: (store) =>
      store.start_time_s === 0 ? '–' : duration(nowMs.value - store.start_time_s * 1000),
  },
];

/** What the filter looks through. */
function words(store: Store): string {
  const labels = store.labels.map((label) => `${label.key}=${label.value}`);
  return [store.id, store.address, store.state, ...labels].join(' ').toLowerCase();
}

export function Stores() {
  const [filter, setFilter] = useState('');
  const now = snapshot.value;
  if (now === null) return null;
  const wanted = filter.trim().toLowerCase();
  const matches = (store: Store) => wanted === '' || words(store).includes(wanted);
  if (now.stores.length === 0)
    return (
      <>
        <h1>Stores</h1>
        {now.answered_by.leads ? <NoStores /> : <OnlyLeaderKnows now={now} />}
      </>
    );
  return (
    <>
      <div class="page-head">
        <h1>Stores</h1>
        <input
          type="search"
          placeholder="Filter by id, address, state or label"
          aria-label="Filter stores"
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      </div>
      <section class="card table-card">
        <SortTable
          columns={COLUMNS}
          rows={now.stores.filter(matches)}
          id={(store) => `store-${store.id}`}
          order={{ key: 'id', down: false }}
          label="Stores"
          nothing={`No store matches “${filter}”.`}
        />
      </section>
    </>
  );
}
