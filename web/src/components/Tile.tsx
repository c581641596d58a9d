import type { ComponentChildren } from 'preact';

export type Tone = 'good' | 'fair' | 'bad' | 'plain';

export function Tile(props: {
  label: string;
  value: ComponentChildren;
  note?: ComponentChildren;
  tone?: Tone;
  id?: string;
  share?: number;
}) {
  return (
    <div class={`card tile ${props.tone ?? 'plain'}`} data-testid={props.id}>
      <div class="label">{props.label}</div>
      <div class="value">{props.value}</div>
      {props.share !== undefined && <Meter share={props.share} label={props.label} />}
      {props.note !== undefined && <div class="note">{props.note}</div>}
    </div>
  );
}

/** Nearly full is a warning, unless it is `plain`: then it only shows a part. */
export function Meter(props: { share: number; label: string; plain?: boolean }) {
  const { share, label } = props;
  const width = Math.max(0, Math.min(1, share)) * 100;
  const tone = props.plain === true ? 'plain' : share > 0.9 ? 'bad' : share > 0.8 ? 'fair' : 'good';
  return (
    <div class={`meter ${tone}`} role="img" aria-label={`${label}: ${width.toFixed(0)} percent`}>
      <i style={`width:${width}%`} />
    </div>
  );
}
