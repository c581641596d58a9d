const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** Three significant digits: "1.23 GiB", "512 MiB". */
export function bytes(value: number): string {
  let size = Math.max(0, value);
  let unit = 0;
  while (size >= 1024 && unit < BINARY.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return `${size.toFixed(digits)} ${BINARY[unit]}`;
}

export function rate(bytesPerSecond: number): string {
  return `${bytes(bytesPerSecond)}/s`;
}

/** "1,234/s": keys and queries, told apart by their heading. */
export function perSecond(value: number): string {
  return `${short(value)}/s`;
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** "1,234,567". */
export function count(value: number): string {
  return whole.format(value);
}

/** "12.3k" where space is short. */
export function short(value: number): string {
  if (Math.abs(value) < 10_000) return Number.isInteger(value) ? count(value) : value.toFixed(1);
  return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(
    value,
  );
}

export function percent(share: number): string {
  const value = share * 100;
  return `${value < 10 && value > 0 ? value.toFixed(1) : value.toFixed(0)} %`;
}

/** "350 ms", "4.2 s", "3 min 5 s", "2 h 10 min", "3 d 4 h". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return two(minutes, 'min', Math.floor(seconds % 60), 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return two(hours, 'h', minutes % 60, 'min');
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function two(large: number, largeUnit: string, little: number, littleUnit: string): string {
  return little === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${little} ${littleUnit}`;
}

export function ago(ms: number): string {
  return ms < 1500 ? 'just now' : `${duration(ms)} ago`;
}

/** "balance-hot-region" -> "Balance hot region". */
export function title(dashed: string): string {
  const words = dashed.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
