// What the stores of the fake cluster bear, and its hottest regions.
const LISTED = 10;
const BYTES_A_KEY = 120;
const KEYS_A_QUERY = 6;

const rates = (bytes) => [
  bytes,
  Math.round(bytes / BYTES_A_KEY),
  Math.round(bytes / BYTES_A_KEY / KEYS_A_QUERY),
];

/** Some regions of each store, the first one much hotter; their order by keys is not that by bytes. */
function peersOf(store, bytes, as) {
  return [0.31, 0.12, 0.07, 0.04].map((part, i) => {
    const [of_bytes, of_keys, of_queries] = rates(Math.round(bytes * part));
    return {
      region_id: store.id * 100 + i * 7 + (as === 'leader' ? 0 : 3),
      store_id: store.id,
      role: as,
      degree: 3 + ((store.id * 5 + i * 11) % 40),
      rates: [of_bytes, of_keys * (i + 1), of_queries * (4 - i)],
    };
  });
}

function listed(all) {
  const kept = new Set();
  for (const at of [0, 1, 2]) {
    const order = [...all].sort((a, b) => b.rates[at] - a.rates[at]);
    for (const peer of order.slice(0, LISTED)) kept.add(peer);
  }
  return { total: all.length, hottest: [...kept] };
}

export function hotJson({ mode, t, stores, traffic }) {
  const heard = stores.filter((store) => store.state === 'Up' || store.state === 'Offline');
  const bytesOf = new Map(heard.map((store) => [store.id, traffic(store, t)]));
  const peers = (at, as) => heard.flatMap((store) => peersOf(store, bytesOf.get(store.id)[at], as));
  return {
    stores: heard.map((store) => ({
      id: store.id,
      read: rates(bytesOf.get(store.id)[0]),
      write: rates(bytesOf.get(store.id)[1]),
    })),
    peers:
      mode === 'still'
        ? null
        : {
            read_peers: listed([...peers(0, 'leader'), ...peers(0, 'follower').slice(0, 3)]),
            read_leaders: listed(peers(0, 'leader')),
            write_peers: listed([...peers(1, 'leader'), ...peers(1, 'follower')]),
            write_leaders: listed(peers(1, 'leader')),
          },
  };
}
