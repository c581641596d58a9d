import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { paint } from '../theme';
import { cssColour, lineColour } from './palette';

export interface Line {
  name: string;
  values: (number | null)[];
}

interface Props {
  title: string;
  times_s: number[];
  lines: Line[];
  format: (value: number) => string;
  /** Fills below the line; for single lines. */
  filled?: boolean;
  /** The axis starts at zero; otherwise it fits the lines. */
  fromZero?: boolean;
}

const HEIGHT = 170;
const WINDOW_S = 300;
const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

function makeOptions(props: Props, width: number): uPlot.Options {
  const axis = {
    stroke: cssColour('--muted'),
    grid: { stroke: cssColour('--grid'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return {
    width,
    height: HEIGHT,
    padding: [8, 6, 0, 0],
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    legend: { show: false },
    scales: {
      x: {
        range: (_, low, high) => [Math.min(low, high - 60, Math.max(low, high - WINDOW_S)), high],
      },
      y: {
        range: (_, low, high) => {
          if (low == null || high == null) return [0, 1];
          const room = Math.max((high - low) * 0.12, high * 0.02, 1);
          return [props.fromZero === true ? 0 : Math.max(0, low - room), high + room];
        },
      },
    },
    axes: [
      {
        ...axis,
        space: 80,
        size: 26,
        values: (_, ticks) => ticks.map((tick) => clock.format(tick * 1000)),
      },
      {
        ...axis,
        size: 66,
        space: 34,
        values: (_, ticks) => ticks.map((tick) => props.format(tick)),
      },
    ],
    series: [
      {},
      ...props.lines.map((line, i) => ({
        label: line.name,
        stroke: lineColour(i),
        width: 1.8,
        points: { show: false },
        spanGaps: false,
        ...(props.filled === true ? { fill: `${lineColour(i)}22` } : {}),
      })),
    ],
  };
}

/** A live line chart of the last minutes; the figures at the cursor stand in the legend below it. */
export function TimeChart(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const legend = useRef<HTMLUListElement>(null);
  const names = props.lines.map((line) => line.name).join('|');
  const colours = paint.value;
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const options = makeOptions(latest.current, element.clientWidth);
    options.hooks = {
      setCursor: [(self) => showAt(self.cursor.idx ?? null)],
      setData: [(self) => showAt(self.cursor.idx ?? null)],
    };
    function showAt(index: number | null): void {
      const { lines, times_s, format } = latest.current;
      const at = index ?? times_s.length - 1;
      legend.current?.querySelectorAll('b').forEach((cell, i) => {
        const value = lines[i]?.values[at];
        cell.textContent = value == null ? '–' : format(value);
      });
    }
    const made = new uPlot(options, dataOf(latest.current), element);
    plot.current = made;
    showAt(null);
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [names, colours]);

  useEffect(() => {
    plot.current?.setData(dataOf(props));
  }, [props.times_s, props.lines]);

  const end = props.lines
    .map((line) => `${line.name} ${props.format(line.values[line.values.length - 1] ?? 0)}`)
    .join(', ');
  return (
    <figure class="card chart">
      <figcaption>
        <h2>{props.title}</h2>
      </figcaption>
      {props.times_s.length < 2 && <p class="chart-wait">Collecting the first seconds…</p>}
      <div ref={box} role="img" aria-label={`${props.title}, now: ${end}`} />
      <ul ref={legend} class="legend" aria-hidden="true">
        {props.lines.map((line, i) => (
          <li key={line.name}>
            <i style={`background:${lineColour(i)}`} />
            {line.name}
            <b />
          </li>
        ))}
      </ul>
    </figure>
  );
}

function dataOf(props: Props): uPlot.AlignedData {
  return [props.times_s, ...props.lines.map((line) => line.values)] as uPlot.AlignedData;
}
