import type { Store } from '../src/api/types';

/** A store that is up and holds nothing, for tests to change. */
export function store(id: number, changes: Partial<Store> = {}): Store {
  return {
    id,
    address: '',
    status_address: '',
    version: '',
    labels: [],
    state: 'Up',
    node_state: 'Serving',
    capacity_bytes: 100,
    available_bytes: 50,
    used_bytes: 50,
    leader_count: 0,
    region_count: 0,
    learner_count: 0,
    pending_peer_count: 0,
    leader_size_mib: 0,
    region_size_mib: 0,
    leader_score: 0,
    region_score: 0,
    leader_weight: 1,
    region_weight: 1,
    read_bytes_per_s: 0,
    write_bytes_per_s: 0,
    sending_snapshots: 0,
    receiving_snapshots: 0,
    slow_score: 0,
    busy: false,
    low_space: false,
    progress: null,
    heartbeat_age_ms: 0,
    start_time_s: 0,
    ...changes,
  };
}
