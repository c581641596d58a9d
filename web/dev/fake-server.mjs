// A stand-in for pd-server while working on the page: `node dev/fake-server.mjs [port]`. It plays a cluster that
// balances itself, over the same route and shapes. FAKE=empty plays one without stores, FAKE=follower a follower whose
// leader is out of reach, FAKE=many 60 stores, FAKE=huge 1000, FAKE=still one that is told to stand still and measures no
// hot regions, FAKE=old a leader older than the page. STATIC=dir also serves a built page.
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

import { hotJson } from './fake-hot.mjs';
import { schedulersJson } from './fake-schedulers.mjs';

const port = Number(process.argv[2] ?? 5199);
const mode = process.env.FAKE ?? '';
const storeCount =
  mode === 'empty' || mode === 'follower' ? 0 : mode === 'many' ? 60 : mode === 'huge' ? 1000 : 6;
const GIB = 1024 ** 3;
const zones = ['east', 'west', 'north'];
let seed = 7;
const random = () => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return seed / 2147483648;
};

const stores = Array.from({ length: storeCount }, (_, i) => ({
  id: i + 1,
  leaders: i < storeCount / 3 ? 320 + Math.round(random() * 60) : 60 + Math.round(random() * 40),
  regions: i < storeCount / 3 ? 960 + Math.round(random() * 100) : 400 + Math.round(random() * 100),
  state: i === 4 && storeCount === 6 ? 'Offline' : 'Up',
  started: Date.now() / 1000 - 86_000 - i * 3000,
}));
let operators = [];
let finished = [];
let finishedTotal = 0;
/** Name of a scheduler -> its proposals so far, those of the last second, and the last of them. */
const proposed = new Map();
const samples = [];

const pick = (list, score) =>
  list.reduce((best, one) => (score(one) > score(best) ? one : best), list[0]);

function propose() {
  if (mode === 'still' || operators.length >= 7 || stores.length === 0) return;
  const up = stores.filter((store) => store.state === 'Up');
  const leaving = stores.find((store) => store.state === 'Offline' && store.regions > 0);
  const byLeader = random() < 0.4;
  const key = byLeader ? 'leaders' : 'regions';
  const from =
    leaving && random() < 0.5 ? leaving : pick(up, (store) => store[key] + random() * 30);
  const to = pick(up, (store) => -store[key] - random() * 30);
  if (from === to || from[key] - to[key] < 4) return;
  const region = 100 + Math.floor(random() * 9000);
  const peer = 20_000 + Math.floor(random() * 9000);
  const average = up.reduce((sum, store) => sum + store[key], 0) / up.length;
  const op = {
    region_id: region,
    desc:
      from === leaving
        ? 'replace-rule-offline-peer'
        : byLeader
          ? 'balance-leader'
          : 'balance-region',
    brief: byLeader
      ? `transfer leader: store ${from.id} to ${to.id}`
      : `mv peer: store [${from.id}] to [${to.id}]`,
    kinds: from === leaving ? ['replica', 'region'] : byLeader ? ['leader'] : ['region'],
    priority: from === leaving ? 'high' : 'medium',
    status: 'started',
    why:
      from === leaving
        ? `store ${from.id} is being removed and still holds ${from.regions} regions`
        : `store ${from.id} holds ${from[key]} ${key}, the average is ${average.toFixed(0)}; store ${to.id} holds ${to[key]}`,
    steps: byLeader
      ? [`transfer leader from store ${from.id} to store ${to.id}`]
      : [
          `add learner peer ${peer} on store ${to.id}`,
          `use joint consensus, promote learner peer ${peer} on store ${to.id} to voter, demote voter peer ${peer - 5} on store ${from.id} to learner`,
          `leave joint state, promote learner peer ${peer} on store ${to.id} to voter, demote voter peer ${peer - 5} on store ${from.id} to learner`,
          `remove peer on store ${from.id}`,
        ],
    current_step: 0,
    size_mib: 40 + Math.floor(random() * 60),
    made: Date.now(),
    timeout_ms: 620_000,
    cancel_reason: '',
    apply: () => {
      from[key] -= 1;
      to[key] += 1;
    },
  };
  operators.push(op);
  if (from === leaving) return;
  const name = `${op.desc}-scheduler`;
  const before = proposed.get(name) ?? { total: 0, latest: 0 };
  proposed.set(name, { total: before.total + 1, latest: before.latest + 1, last: op });
}

function turn() {
  for (const entry of proposed.values()) entry.latest = 0;
  for (let k = 0; k < 3; k += 1) propose();
  advance();
  remember();
}

function advance() {
  for (const op of operators) {
    if (random() < (op.steps.length === 1 ? 0.7 : 0.45)) op.current_step += 1;
    if (op.current_step < op.steps.length) continue;
    const ok = random() > 0.04;
    if (ok) for (let i = 0; i < 5; i += 1) op.apply();
    finishedTotal += 1;
    finished.unshift({
      ...op,
      status: ok ? 'success' : 'canceled',
      cancel_reason: ok ? '' : 'stale-status',
      ended: Date.now(),
    });
  }
  operators = operators.filter((op) => op.current_step < op.steps.length);
  finished = finished.slice(0, 50);
}

const wave = (i, t) => 1 + 0.5 * Math.sin(t / 17_000 + i * 1.3);
function traffic(store, t) {
  if (mode === 'still') return [0, 0];
  return [
    Math.round(store.leaders * 42_000 * wave(store.id, t)),
    Math.round(store.regions * 9_000 * wave(store.id + 2, t)),
  ];
}

function storeJson(store, t) {
  const [read, write] = traffic(store, t);
  const used = store.regions * 0.096 * GIB;
  return {
    id: store.id,
    address: `tikv-${store.id}.stores:20160`,
    status_address: `tikv-${store.id}.stores:20180`,
    version: '8.5.0',
    labels: [
      { key: 'zone', value: zones[store.id % 3] },
      { key: 'host', value: `h${store.id}` },
    ],
    state: store.state,
    node_state: store.state === 'Offline' ? 'Removing' : 'Serving',
    capacity_bytes: 500 * GIB,
    available_bytes: 500 * GIB - used - 40 * GIB,
    used_bytes: used,
    leader_count: store.leaders,
    region_count: store.regions,
    learner_count: 0,
    pending_peer_count: Math.floor(random() * 2),
    leader_size_mib: store.leaders * 96,
    region_size_mib: store.regions * 96,
    leader_score: store.leaders,
    region_score: store.regions * 96,
    leader_weight: 1,
    region_weight: 1,
    read_bytes_per_s: read,
    write_bytes_per_s: write,
    sending_snapshots: operators.length > 0 ? Math.floor(random() * 2) : 0,
    receiving_snapshots: 0,
    slow_score: store.id === 3 && mode === '' ? 42 : 1,
    busy: false,
    low_space: false,
    progress:
      store.state === 'Offline'
        ? {
            fraction: Math.max(0, 1 - store.regions / 500),
            speed_mib_per_s: 12,
            left_s: store.regions * 8,
          }
        : null,
    heartbeat_age_ms: (t + store.id * 1300) % 10_000,
    start_time_s: Math.round(store.started),
  };
}

function opJson(op, t) {
  const { made, ended, apply, ...plain } = op;
  return {
    ...plain,
    age_ms: (ended ?? t) - made,
    ended_ms_ago: ended === undefined ? null : t - ended,
  };
}

const url = (i) => (i === 1 ? `http://127.0.0.1:${port}` : `http://127.0.0.1:${port + i * 1000}`);
function snapshot() {
  const t = Date.now();
  const follower = mode === 'follower';
  return {
    format: 1,
    time_ms: t,
    cluster_id: '7445382910283746155',
    version: 'v8.5.0',
    answered_by: { name: 'pd1', leads: !follower },
    leader: { name: follower ? 'pd2' : 'pd1', client_urls: [url(follower ? 2 : 1)] },
    bootstrapped: stores.length > 0,
    members: [1, 2, 3].map((i) => ({
      name: `pd${i}`,
      id: `${9_000_000_000_000_000_000n + BigInt(i)}`,
      client_urls: [url(i)],
      peer_urls: [`http://127.0.0.1:${port + i * 1000 + 1}`],
      leader: i === (follower ? 2 : 1),
      healthy: i !== 3,
      priority: 0,
      version: 'v8.5.0',
    })),
    stores: stores.map((store) => storeJson(store, t)),
    regions: {
      count: Math.round(stores.reduce((sum, store) => sum + store.regions, 0) / 3),
      size_mib: stores.reduce((sum, store) => sum + store.regions, 0) * 32,
      reported: Math.round(stores.reduce((sum, store) => sum + store.regions, 0) / 3),
    },
    operators: {
      running: operators.map((op) => opJson(op, t)),
      running_count: operators.length,
      finished: finished.map((op) => opJson(op, t)),
      finished_total: finishedTotal,
    },
    refusals:
      stores.length === 0
        ? []
        : [
            {
              source: 'balance-region',
              reason: 'store-add-limit',
              text: 'store 6 has 250 cost units left, 1000 are needed',
              count: 31,
            },
            {
              source: 'balance-leader',
              reason: 'already-balanced',
              text: 'store 4 and store 6 differ by less than the tolerance',
              count: 12,
            },
            {
              source: 'balance-hot-region',
              reason: 'no-source',
              text: 'no store is hot',
              count: 6,
            },
          ],
    ...(mode !== 'old' && {
      schedulers: schedulersJson({ mode, t, stores, operators, proposed }),
      hot: hotJson({ mode, t, stores, traffic }),
    }),
  };
}

function remember() {
  const t = Date.now();
  const byStore = {};
  for (const store of stores)
    byStore[store.id] = [
      store.leaders,
      store.regions,
      store.regions * 0.096 * GIB,
      ...traffic(store, t),
    ];
  samples.push({
    time_ms: t,
    stores: byStore,
    running: operators.length,
    finished_total: finishedTotal,
  });
  if (samples.length > 300) samples.shift();
}

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
function serveFile(path, response) {
  const root = process.env.STATIC;
  const file = root && join(root, normalize(path.replace(/^\/dashboard\/?/, '/')));
  const found =
    file && existsSync(file) && extname(file) !== '' ? file : root && join(root, 'index.html');
  if (!found || !path.startsWith('/dashboard')) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'Content-Type': TYPES[extname(found)] ?? 'application/octet-stream' });
  createReadStream(found).pipe(response);
}

const clients = new Set();
createServer((request, response) => {
  const path = new URL(request.url, 'http://x').pathname;
  if (path !== '/qm/api/v1/events') return serveFile(path, response);
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache',
    'Access-Control-Allow-Origin': '*',
  });
  const send = (name, data) => response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  send('history', samples);
  send('snapshot', snapshot());
  clients.add(send);
  request.on('close', () => clients.delete(send));
}).listen(port, '127.0.0.1');

for (let i = 0; i < Number(process.env.WARM ?? 0); i += 1) {
  turn();
  samples.forEach((sample) => (sample.time_ms -= 1000));
}
setInterval(() => {
  turn();
  const event = snapshot();
  for (const send of clients) send('snapshot', event);
}, 1000);
