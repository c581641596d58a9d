import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

import { count } from '../format';

export interface ColumnDef<Row> {
  key: string;
  name: string;
  number?: boolean;
  sort: (row: Row) => number | string;
  cell: (row: Row) => ComponentChildren;
}

export interface Order {
  key: string;
  down: boolean;
}

/** A thousand rows that change every second keep a browser busy. */
const ROWS_STEP = 100;

function compare(a: number | string, b: number | string): number {
  return typeof a === 'number' && typeof b === 'number'
    ? a - b
    : String(a).localeCompare(String(b));
}

/** A table that sorts by the heading pressed, and on narrow screens becomes a list of cards. */
export function SortTable<Row>(props: {
  columns: readonly ColumnDef<Row>[];
  rows: readonly Row[];
  id: (row: Row) => string;
  order: Order;
  /** For those who listen, where no heading stands right above. */
  label?: string;
  /** Instead of no rows. */
  nothing: string;
}) {
  const { columns } = props;
  const [order, setOrder] = useState(props.order);
  const [shown, setShown] = useState(ROWS_STEP);
  const column = columns.find((one) => one.key === order.key) ?? columns[0]!;
  const rows = [...props.rows].sort(
    (a, b) => compare(column.sort(a), column.sort(b)) * (order.down ? -1 : 1),
  );
  return (
    <>
      <table aria-label={props.label}>
        <thead>
          <tr>
            {columns.map((one) => (
              <th
                key={one.key}
                scope="col"
                class={one.number ? 'number' : ''}
                aria-sort={
                  order.key === one.key ? (order.down ? 'descending' : 'ascending') : 'none'
                }
              >
                <button
                  type="button"
                  onClick={() =>
                    setOrder({ key: one.key, down: order.key === one.key && !order.down })
                  }
                >
                  {one.name}
                  <span aria-hidden="true">
                    {order.key === one.key ? (order.down ? ' ↓' : ' ↑') : ''}
                  </span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map((row) => (
            <tr key={props.id(row)} data-testid={props.id(row)}>
              {columns.map((one) => (
                <td key={one.key} class={one.number ? 'number' : ''} data-name={one.name}>
                  {one.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown && (
        <p class="nothing">
          {shown} of {count(rows.length)}{' '}
          <button type="button" class="more" onClick={() => setShown(shown + ROWS_STEP)}>
            Show more
          </button>
        </p>
      )}
      {rows.length === 0 && <p class="nothing">{props.nothing}</p>}
    </>
  );
}
