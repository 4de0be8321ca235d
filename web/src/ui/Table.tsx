import type { ReactNode } from 'react'
import classes from './Table.module.css'

export interface Column<Row> {
  head: string
  cell: (row: Row) => ReactNode
}

/** A table whose rows become cards where it has no room for its columns. */
export function Table<Row>({
  label,
  columns,
  rows,
  keyOf,
  renderActions,
}: {
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string | number
  /** What can be done with a row. */
  renderActions?: (row: Row) => ReactNode
}) {
  return (
    <div className={classes.frame}>
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ head }) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
            {renderActions !== undefined && (
              <th scope="col">
                <span className="visually-hidden">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ head, cell }) => (
                <td key={head} data-head={head}>
                  <div>{cell(row)}</div>
                </td>
              ))}
              {renderActions !== undefined && (
                <td className={classes.last}>
                  <div>{renderActions(row)}</div>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
