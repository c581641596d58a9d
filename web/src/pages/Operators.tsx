import { Empty } from '../components/Empty';
import { OperatorRow } from '../components/OperatorRow';
import { count, title } from '../format';
import { snapshot } from '../live/state';

function Refusals() {
  const refusals = snapshot.value?.refusals ?? [];
  if (refusals.length === 0) return null;
  return (
    <section class="card" aria-labelledby="refusals-title">
      <div class="card-head">
        <h2 id="refusals-title">Why not more</h2>
      </div>
      <ul class="refusals">
        {refusals.map((refusal) => (
          <li key={`${refusal.source} ${refusal.reason}`}>
            <b>{title(refusal.source)}</b> <span class="chip">{refusal.reason}</span>
            <span class="dim"> × {count(refusal.count)}</span>
            <p>{refusal.text}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Operators() {
  const now = snapshot.value;
  if (now === null) return null;
  const { running, running_count, finished, finished_total } = now.operators;
  return (
    <>
      <h1>Operators</h1>
      <div class="two">
        <div class="stack">
          <section class="card" aria-labelledby="running-title">
            <div class="card-head">
              <h2 id="running-title">Running</h2>
              <span class="dim">{count(running_count)}</span>
            </div>
            {running.length === 0 ? (
              <Empty title="Nothing runs">
                <p class="dim">Checkers and schedulers find nothing to repair or to move.</p>
              </Empty>
            ) : (
              <ul class="ops">
                {running.map((op) => (
                  <OperatorRow key={`${op.region_id} ${op.desc}`} op={op} />
                ))}
              </ul>
            )}
            {running_count > running.length && (
              <p class="hint">
                The first {running.length} of {count(running_count)}.
              </p>
            )}
          </section>
          <Refusals />
        </div>
        <section class="card" aria-labelledby="finished-title">
          <div class="card-head">
            <h2 id="finished-title">Ended lately</h2>
            <span class="dim">{count(finished_total)} in all</span>
          </div>
          {finished.length === 0 ? (
            <Empty title="None yet" />
          ) : (
            <ul class="ops">
              {finished.map((op, i) => (
                <OperatorRow key={`${op.region_id} ${op.desc} ${finished.length - i}`} op={op} />
              ))}
            </ul>
          )}
        </section>
      </div>
    </>
  );
}
