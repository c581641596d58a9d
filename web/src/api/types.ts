// What GET /qm/api/v1/events sends, field by field. api/http/dashboard_json.cc writes it.
// Ids of clusters and members exceed 2^53 and are strings; those of stores and regions stay far below.

export const FORMAT = 1;

export interface Member {
  name: string;
  id: string;
  client_urls: string[];
  peer_urls: string[];
  leader: boolean;
  /** null: not known to the server that answers. */
  healthy: boolean | null;
  priority: number;
  version: string;
}

export type StoreState = 'Up' | 'Disconnected' | 'Down' | 'Offline' | 'Tombstone';

export interface Store {
  id: number;
  address: string;
  status_address: string;
  version: string;
  labels: { key: string; value: string }[];
  state: StoreState;
  node_state: 'Preparing' | 'Serving' | 'Removing' | 'Removed';
  capacity_bytes: number;
  available_bytes: number;
  used_bytes: number;
  leader_count: number;
  region_count: number;
  learner_count: number;
  pending_peer_count: number;
  leader_size_mib: number;
  region_size_mib: number;
  leader_score: number;
  region_score: number;
  leader_weight: number;
  region_weight: number;
  read_bytes_per_s: number;
  write_bytes_per_s: number;
  sending_snapshots: number;
  receiving_snapshots: number;
  slow_score: number;
  busy: boolean;
  low_space: boolean;
  /** How far a store is that leaves or is new; null for others. left_s is null as long as nothing moves. */
  progress: { fraction: number; speed_mib_per_s: number; left_s: number | null } | null;
  /** null: no heartbeat since this leader took over. */
  heartbeat_age_ms: number | null;
  start_time_s: number;
}

export interface RegionCounts {
  count: number;
  size_mib: number;
  /** Regions heard of since this leader took over, for the warm-up after a change of leader. */
  reported: number;
}

export type OperatorStatus =
  'created' | 'started' | 'success' | 'canceled' | 'replaced' | 'expired' | 'timeout';

export interface Operator {
  region_id: number;
  desc: string;
  brief: string;
  kinds: string[];
  priority: string;
  status: OperatorStatus;
  /** The numbers that led to it, in words. */
  why: string;
  steps: string[];
  current_step: number;
  size_mib: number;
  /** Since it was made; for a finished one: how long it took. */
  age_ms: number;
  timeout_ms: number;
  /** Only for finished ones. */
  ended_ms_ago: number | null;
  cancel_reason: string;
}

/** One kind of "no" that planning met lately, with the numbers of the latest one. */
export interface Refusal {
  source: string;
  reason: string;
  text: string;
  count: number;
}

/** 'limit': as many operators of its kind run as may. 'waiting': this leader still listens to the stores. */
export type SchedulerStatus = 'running' | 'limit' | 'paused' | 'waiting' | 'halted' | 'disabled';

/** A "no" of a scheduler's latest run: one line for each reason and store. */
export interface SchedulerRefusal {
  reason: string;
  /** null: it is about no store in particular. */
  store_id: number | null;
  /** In words, with the numbers that were compared. */
  text: string;
  /** What a person can do about it; empty where nothing is wrong or nothing can be done. */
  remedy: string;
  /** How often in that run; the words are of the first. */
  times: number;
}

export interface Scheduler {
  name: string;
  status: SchedulerStatus;
  /** The stores that it was made for; empty for one that looks at all. */
  store_ids: number[];
  /** null: not paused. */
  resumes_in_ms: number | null;
  /** Running operators of the kind that it counts against, and how many may; null: any number. */
  kind: string;
  running: number;
  limit: number | null;
  /** null: it has not run since this member leads. */
  ran_ms_ago: number | null;
  /** Operators proposed: in the latest run, and since this member leads. */
  proposed_latest: number;
  proposed_total: number;
  /** The last of them. */
  proposed_last: { ms_ago: number; region_id: number; brief: string; why: string } | null;
  /** Why it does nothing: the first of each reason; none of one that is disabled. */
  refusals: SchedulerRefusal[];
  refusals_total: number;
}

/** Per second. */
export type Rates = [bytes: number, keys: number, queries: number];

/** What a store bore between its last two heartbeats. */
export interface StoreLoad {
  id: number;
  read: Rates;
  write: Rates;
}

export interface HotPeer {
  region_id: number;
  store_id: number;
  role: 'leader' | 'follower' | 'learner';
  /** How many reports in a row it has been hot for, or less while it cools. */
  degree: number;
  rates: Rates;
}

/** The first of one kind by each of the rates, so that the first by any of them are there. */
export interface HotPeers {
  total: number;
  hottest: HotPeer[];
}

export interface Hot {
  /** Only stores that are heard. */
  stores: StoreLoad[];
  peers: {
    read_peers: HotPeers;
    read_leaders: HotPeers;
    write_peers: HotPeers;
    write_leaders: HotPeers;
  };
}

export interface Snapshot {
  format: number;
  time_ms: number;
  cluster_id: string;
  version: string;
  answered_by: { name: string; leads: boolean };
  leader: { name: string; client_urls: string[] } | null;
  bootstrapped: boolean;
  members: Member[];
  /** On a member that does not lead: empty, as is all that follows. */
  stores: Store[];
  regions: RegionCounts;
  operators: {
    running: Operator[];
    running_count: number;
    finished: Operator[];
    finished_total: number;
  };
  refusals: Refusal[];
  /** In a fixed order. A leader older than this page tells nothing of them, nor of what is hot. */
  schedulers?: Scheduler[];
  hot?: Hot;
}

/** One past second, from the leader's memory: sent once when a stream opens, oldest first. */
export interface Sample {
  time_ms: number;
  /** store id -> [leaders, regions, used bytes, read bytes/s, write bytes/s] */
  stores: Record<string, [number, number, number, number, number]>;
  running: number;
  finished_total: number;
}
