import { ago } from '../format';
import { connection, nowMs, retryNow, snapshot } from '../live/state';

function host(url: string): string {
  return url.replace(/^https?:\/\//, '');
}

/** Says plainly when the figures are not what they seem; nothing while all is well. */
export function ConnectionBanner() {
  const now = connection.value;
  const shown = snapshot.value;
  if (now.state === 'mismatch') {
    return (
      <div class="banner bad" role="alert">
        <p>
          <strong>This page is older or newer than the server.</strong> Reload it to get the one
          that fits.
        </p>
        <button type="button" onClick={() => location.reload()}>
          Reload
        </button>
      </div>
    );
  }
  if (now.state === 'lost') {
    return (
      <div class="banner bad" role="alert">
        <p>
          <strong>{host(now.target)} does not answer.</strong>{' '}
          {shown !== null && `What you see is from ${ago(nowMs.value - shown.time_ms)}. `}
          Trying again, there and at the other members.
        </p>
        <button type="button" onClick={retryNow}>
          Try now
        </button>
      </div>
    );
  }
  if (now.state === 'stale') {
    return (
      <div class="banner fair" role="status">
        <p>
          <strong>Nothing new for {ago(nowMs.value - now.since_ms).replace(' ago', '')}.</strong>{' '}
          The server is up, but silent.
        </p>
      </div>
    );
  }
  if (shown !== null && !shown.answered_by.leads && now.state === 'live') {
    const leader = shown.leader;
    return (
      <div class="banner fair" role="status">
        {leader === null ? (
          <p>
            <strong>No PD leader at the moment.</strong> {shown.answered_by.name} is waiting for the
            members to elect one.
          </p>
        ) : (
          <p>
            <strong>
              {shown.answered_by.name} follows {leader.name}
            </strong>
            , which cannot be reached from here at{' '}
            <a href={`${leader.client_urls[0]}/dashboard/`}>{host(leader.client_urls[0] ?? '')}</a>.
          </p>
        )}
      </div>
    );
  }
  return null;
}
