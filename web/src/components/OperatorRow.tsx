import type { Operator } from '../api/types';
import { ago, duration, title } from '../format';

const GLYPHS: [string, string][] = [
  ['merge', '⇥'],
  ['split', '⇔'],
  ['hot-region', '♨'],
  ['leader', '⚑'],
  ['witness', '◌'],
  ['replica', '✚'],
  ['region', '⇄'],
  ['admin', '☞'],
];

function glyph(kinds: string[]): string {
  return GLYPHS.find(([kind]) => kinds.includes(kind))?.[1] ?? '•';
}

const ENDS: Record<string, { word: string; tone: string }> = {
  success: { word: 'done', tone: 'good' },
  canceled: { word: 'cancelled', tone: 'off' },
  replaced: { word: 'replaced', tone: 'off' },
  expired: { word: 'expired', tone: 'off' },
  timeout: { word: 'timed out', tone: 'bad' },
};

function Steps({ op }: { op: Operator }) {
  const done = op.status === 'success' ? op.steps.length : op.current_step;
  const label = `Step ${Math.min(done + 1, op.steps.length)} of ${op.steps.length}`;
  return (
    <span class="dots" role="img" aria-label={label} title={op.steps[done] ?? label}>
      {op.steps.map((step, i) => (
        <i
          key={step}
          class={i < done ? 'done' : i === done && op.ended_ms_ago === null ? 'now' : ''}
        />
      ))}
    </span>
  );
}

/** One operator: what moves, why, how far it is. Opens to its steps. */
export function OperatorRow({ op }: { op: Operator }) {
  const end = ENDS[op.status];
  return (
    <li class="op" data-testid="operator">
      <details>
        <summary>
          <span class="glyph" aria-hidden="true">
            {glyph(op.kinds)}
          </span>
          <span class="op-text">
            <b>{title(op.desc)}</b> <span class="dim">region {op.region_id}</span>
            <span class="brief">{op.brief}</span>
            {op.why !== '' && <span class="why">{op.why}</span>}
          </span>
          <span class="op-end">
            {end === undefined ? (
              <Steps op={op} />
            ) : (
              <span class={`badge ${end.tone}`}>{end.word}</span>
            )}
            <span class="dim">
              {op.ended_ms_ago === null ? duration(op.age_ms) : ago(op.ended_ms_ago)}
            </span>
          </span>
        </summary>
        <ol>
          {op.steps.map((step, i) => (
            <li
              key={step}
              class={
                op.status === 'success' || i < op.current_step
                  ? 'done'
                  : i === op.current_step && end === undefined
                    ? 'now'
                    : ''
              }
            >
              {step}
            </li>
          ))}
        </ol>
        <p class="dim">
          {op.priority} priority, {op.kinds.join(', ')}, about {op.size_mib} MiB,{' '}
          {end === undefined
            ? `gives up after ${duration(op.timeout_ms)}`
            : `took ${duration(op.age_ms)}`}
          {op.cancel_reason !== '' && `, given up: ${op.cancel_reason}`}
        </p>
      </details>
    </li>
  );
}
