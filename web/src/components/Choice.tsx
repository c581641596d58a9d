interface Option<Key extends string> {
  key: Key;
  name: string;
}

/** A few buttons of which one is pressed. */
export function Choice<Key extends string>(props: {
  label: string;
  options: readonly Option<Key>[];
  value: Key;
  onPick: (key: Key) => void;
}) {
  return (
    <div class="choice" role="group" aria-label={props.label}>
      {props.options.map((option) => (
        <button
          key={option.key}
          type="button"
          aria-pressed={props.value === option.key}
          onClick={() => props.onPick(option.key)}
        >
          {option.name}
        </button>
      ))}
    </div>
  );
}
