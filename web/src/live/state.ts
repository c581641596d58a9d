import { computed, signal } from '@preact/signals';

import { EventStream, type Connection } from '../api/events';
import type { Sample, Snapshot } from '../api/types';
import { extend, merge, sampleOf } from './history';

/** All that pages show hangs on these; only startLive() writes them. */
export const connection = signal<Connection>({ state: 'connecting', target: '' });
export const snapshot = signal<Snapshot | null>(null);
export const history = signal<Sample[]>([]);
/** The wall clock, for "12 s ago"; ticks once a second. */
export const nowMs = signal(Date.now());

export const fresh = computed(() => connection.value.state === 'live');

let stream: EventStream | null = null;

export function startLive(): void {
  setInterval(() => {
    nowMs.value = Date.now();
  }, 1000);
  stream = new EventStream(location.origin, {
    onConnection: (next) => {
      connection.value = next;
    },
    onHistory: (samples) => {
      history.value = merge(samples, history.value);
    },
    onSnapshot: (next) => {
      const last = snapshot.value;
      // A member that does not lead knows no stores; the last known ones stay on the page meanwhile.
      snapshot.value =
        next.answered_by.leads || last === null
          ? next
          : { ...last, answered_by: next.answered_by, leader: next.leader, members: next.members };
      if (next.answered_by.leads) history.value = extend(history.value, [sampleOf(next)]);
    },
  });
  stream.start();
}

export function retryNow(): void {
  stream?.retryNow();
}
