// The schedulers of the fake cluster, one in every status, with what each of them refuses.
const LEADER_LIMIT = 4;

function refusal(reason, store_id, text, remedy = '', times = 1) {
  return { reason, store_id, text, remedy, times };
}

function even(stores, key) {
  return stores
    .filter((store) => store.state === 'Up')
    .map((store) =>
      refusal(
        'already-balanced',
        store.id,
        `balanced: score ${store[key]} against ${store[key] + 5}, tolerance included`,
      ),
    );
}

/** What balance-region says of stores that cannot take a peer. */
function busy(stores) {
  const [first, second, third] = stores;
  const lines = [
    refusal(
      'store-add-limit',
      first.id,
      `store ${first.id} has 250 of the 1000 cost units left that a new peer takes`,
      `wait, or raise the add-peer limit of store ${first.id}`,
      31,
    ),
    refusal(
      'store-snapshots',
      second.id,
      `store ${second.id} has 64 snapshots under way, 64 are allowed`,
      `wait for the snapshots of store ${second.id}, or raise max-snapshot-count`,
    ),
    refusal('no-region', first.id, 'no fitting region found in 10 tries'),
  ];
  const leaving = stores.find((store) => store.state === 'Offline');
  if (leaving !== undefined) {
    lines.push(refusal('store-removing', leaving.id, `store ${leaving.id} is being removed`));
  }
  const full = `free space on store ${third.id}, or raise low-space-ratio`;
  lines.push(
    refusal(
      'store-low-space',
      third.id,
      `store ${third.id} has used 0.83 of its space, 0.8 is the limit`,
      full,
    ),
  );
  return lines;
}

/** At most so many lines of one reason, as the server does it. */
const LINES_A_REASON = 8;
function bounded(refusals) {
  const seen = new Map();
  return refusals.filter(({ reason }) => {
    seen.set(reason, (seen.get(reason) ?? 0) + 1);
    return seen.get(reason) <= LINES_A_REASON;
  });
}

export function schedulersJson({ mode, t, stores, operators, proposed }) {
  if (stores.length === 0) return [];
  const count = (kind) => operators.filter((op) => op.kinds.includes(kind)).length;
  const entry = (name, kind, limit, changes) => {
    const did = proposed.get(name);
    const refusals = changes.refusals ?? [];
    const scheduler = {
      name,
      status: 'running',
      store_ids: [],
      resumes_in_ms: null,
      kind,
      running: count(kind),
      limit,
      ran_ms_ago: 300,
      proposed_latest: did?.latest ?? 0,
      proposed_total: did?.total ?? 0,
      proposed_last:
        did === undefined
          ? null
          : {
              ms_ago: t - did.last.made,
              region_id: did.last.region_id,
              brief: did.last.brief,
              why: did.last.why,
            },
      ...changes,
      refusals: bounded(refusals),
      refusals_total: refusals.length,
    };
    if (mode !== 'still' || scheduler.status === 'disabled') return scheduler;
    const halted = refusal('halted', null, 'all scheduling is halted', 'turn halt-scheduling off');
    return { ...scheduler, status: 'halted', refusals: [halted], refusals_total: 1 };
  };
  return [
    entry('balance-region-scheduler', 'region', 2048, { refusals: busy(stores) }),
    entry('balance-leader-scheduler', 'leader', LEADER_LIMIT, {
      refusals: even(stores, 'leaders'),
    }),
    entry('balance-hot-region-scheduler', 'hot-region', 4, {
      status: 'paused',
      resumes_in_ms: 300_000 - (t % 300_000),
      refusals: [
        refusal('paused', null, 'it is paused', 'resume balance-hot-region-scheduler, or wait'),
      ],
    }),
    entry('evict-slow-store-scheduler', 'leader', LEADER_LIMIT, {
      refusals: [refusal('no-source', null, 'no store needs anything taken off it')],
    }),
    entry('evict-stopping-store-scheduler', 'leader', LEADER_LIMIT, {
      status: 'disabled',
      ran_ms_ago: null,
    }),
    entry('evict-leader-scheduler', 'leader', LEADER_LIMIT, {
      status: 'limit',
      running: LEADER_LIMIT,
      store_ids: [stores[0].id],
      refusals: [
        refusal(
          'schedule-limit',
          null,
          `${LEADER_LIMIT} such operators run, ${LEADER_LIMIT} are allowed`,
          'wait, or raise leader-schedule-limit',
        ),
      ],
    }),
  ];
}
