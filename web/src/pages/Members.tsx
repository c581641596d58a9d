import type { Member } from '../api/types';
import { snapshot } from '../live/state';

function health(member: Member): { word: string; tone: string; mark: string } {
  if (member.healthy === null) return { word: 'not checked', tone: 'off', mark: '?' };
  return member.healthy
    ? { word: 'healthy', tone: 'good', mark: '✓' }
    : { word: 'no answer', tone: 'bad', mark: '✕' };
}

export function Members() {
  const now = snapshot.value;
  if (now === null) return null;
  return (
    <>
      <h1>Members</h1>
      <p class="lead">
        Cluster <code>{now.cluster_id}</code>, served by {now.answered_by.name}.
      </p>
      <ul class="members">
        {[...now.members]
          .sort((a, b) => a.name.localeCompare(b.name))
          .map((member) => {
            const { word, tone, mark } = health(member);
            return (
              <li
                key={member.id}
                class={`card member ${member.leader ? 'leads' : ''}`}
                data-testid={`member-${member.name}`}
              >
                <div class="card-head">
                  <h2>{member.name}</h2>
                  {member.leader && (
                    <span class="badge lead-badge">
                      <i aria-hidden="true">★</i>PD leader
                    </span>
                  )}
                  <span class={`badge ${tone}`}>
                    <i aria-hidden="true">{mark}</i>
                    {word}
                  </span>
                </div>
                <dl>
                  <dt>Clients</dt>
                  <dd>
                    {member.client_urls.map((url) => (
                      <a key={url} href={`${url}/dashboard/#/members`}>
                        {url}
                      </a>
                    ))}
                  </dd>
                  <dt>Peers</dt>
                  <dd>
                    {member.peer_urls.map((url) => (
                      <span key={url}>{url}</span>
                    ))}
                  </dd>
                  <dt>Id</dt>
                  <dd>
                    <code>{member.id}</code>
                  </dd>
                  <dt>Version</dt>
                  <dd>{member.version === '' ? '–' : member.version}</dd>
                  <dt>Leader priority</dt>
                  <dd>{member.priority}</dd>
                </dl>
              </li>
            );
          })}
      </ul>
    </>
  );
}
