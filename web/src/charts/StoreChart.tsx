import { history } from '../live/state';
import { band, perStore, type Measure } from '../live/history';
import { LINES_MAX } from './palette';
import { TimeChart } from './TimeChart';

/** One line a store, or the extremes and the mean when there are too many to tell apart. */
export function StoreChart({
  title,
  measure,
  format,
}: {
  title: string;
  measure: Measure;
  format: (value: number) => string;
}) {
  const series = perStore(history.value, measure);
  const many = series.lines.length > LINES_MAX;
  const shown = many ? band(series) : series;
  return (
    <TimeChart
      title={many ? `${title}, ${series.lines.length} stores` : title}
      times_s={shown.times_s}
      lines={shown.lines.map((line) => ({
        name: many ? line.id : `store ${line.id}`,
        values: line.values,
      }))}
      format={format}
    />
  );
}
