import type { ComponentChildren } from 'preact';

import type { Snapshot } from '../api/types';

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <svg viewBox="0 0 96 64" width="96" height="64" aria-hidden="true">
        <path d="M8 56h80" stroke="var(--line)" stroke-width="3" stroke-linecap="round" />
        <g fill="none" stroke="var(--muted)" stroke-width="2.5" stroke-dasharray="4 4">
          <rect x="16" y="30" width="14" height="24" rx="3" />
          <rect x="41" y="18" width="14" height="36" rx="3" />
          <rect x="66" y="30" width="14" height="24" rx="3" />
        </g>
      </svg>
      <h3>{title}</h3>
      {children}
    </div>
  );
}

/** A cluster that no store has joined yet, with what to do about it. */
export function NoStores() {
  const where = '--addr=127.0.0.1:20160 --data-dir=./tikv';
  const command = `tikv-server --pd-endpoints=${location.host} ${where}`;
  return (
    <section class="card">
      <Empty title="No stores yet">
        <p>
          PD is ready. Regions, leaders and space show up here as soon as the first store joins:
        </p>
        <pre tabIndex={0}>
          <code>{command}</code>
        </pre>
      </Empty>
    </section>
  );
}

/** While the servers are replaced one by one, the leader may be of before this page. */
export function Untold() {
  return (
    <section class="card">
      <Empty title="The leader does not tell">
        <p>It is older than this page. The figures come once it has been replaced.</p>
      </Empty>
    </section>
  );
}

/** On a member that does not lead, while its leader cannot be reached from this browser. */
export function OnlyLeaderKnows({ now }: { now: Snapshot }) {
  const url = now.leader?.client_urls[0];
  return (
    <section class="card">
      {now.leader === null ? (
        <Empty title="Waiting for a PD leader">
          <p>The members are electing one; the figures come back with it.</p>
        </Empty>
      ) : (
        <Empty title={`${now.leader.name} knows the stores`}>
          <p>
            {now.answered_by.name} follows it and keeps no figures of its own. This page keeps
            trying to reach the leader; you can also open{' '}
            <a href={`${url}/dashboard/`}>its own page</a>.
          </p>
        </Empty>
      )}
    </section>
  );
}
