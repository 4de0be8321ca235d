import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown } from 'lucide-react'
import { memo, useEffect, useRef } from 'react'
import { type Column, type ColumnName, COLUMNS, type SystemRow } from './columns.tsx'
import type { SystemsSearch } from './search.ts'
import classes from './Systems.module.css'
import type { SystemList } from './use-systems.ts'

const ROW_PX = 44

/** As many rows as there are systems, of which only those in sight exist. */
export function SystemTable({
  systems,
  columns,
  sort,
  sortBy,
}: {
  systems: SystemList
  columns: ColumnName[]
  sort: NonNullable<SystemsSearch['sort']>
  sortBy: (sort: NonNullable<SystemsSearch['sort']>) => void
}) {
  const box = useRef<HTMLDivElement>(null)
  const { rows, total, readOn, hold } = systems
  const rowsInSight = useVirtualizer({
    count: total ?? 0,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  })
  const items = rowsInSight.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (last + 50 >= rows.length) readOn()
  }, [last, rows.length, readOn])
  const above = items[0]?.start ?? 0
  const below = rowsInSight.getTotalSize() - (items.at(-1)?.end ?? 0)
  const width = columns.reduce((sum, name) => sum + COLUMNS[name].width, 0)
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- only looks whether somebody is at a row
    <div
      ref={box}
      className={classes.box}
      data-list
      onPointerEnter={() => hold(true)}
      onPointerLeave={() => hold(false)}
      onFocus={() => hold(true)}
      onBlur={() => hold(false)}
    >
      <table className={classes.table} style={{ minWidth: width }} aria-rowcount={(total ?? 0) + 1}>
        <colgroup>
          {columns.map((name) => (
            <col key={name} style={{ width: COLUMNS[name].width }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((name) => (
              <Heading key={name} column={COLUMNS[name]} sort={sort} sortBy={sortBy} />
            ))}
          </tr>
        </thead>
        <tbody>
          {above > 0 && <tr aria-hidden className={classes.space} style={{ height: above }} />}
          {items.map(({ index, key }) => (
            <Row key={key} index={index} row={rows[index]} columns={columns} />
          ))}
          {below > 0 && <tr aria-hidden className={classes.space} style={{ height: below }} />}
        </tbody>
      </table>
    </div>
  )
}

function Heading({
  column: { title, sort: by },
  sort,
  sortBy,
}: {
  column: Column
  sort: string
  sortBy: (sort: NonNullable<SystemsSearch['sort']>) => void
}) {
  if (by === undefined) return <th scope="col">{title}</th>
  const isSorted = by === sort
  return (
    <th scope="col" {...(isSorted && { 'aria-sort': by === 'hostname' ? 'ascending' : 'descending' })}>
      <button type="button" className={classes.sort} onClick={() => sortBy(by)}>
        {title} {isSorted && <ArrowDown aria-hidden size={13} />}
      </button>
    </th>
  )
}

const Row = memo(function Row({
  index,
  row,
  columns,
}: {
  index: number
  row: SystemRow | undefined
  columns: ColumnName[]
}) {
  return (
    <tr aria-rowindex={index + 2} className={classes.row} aria-busy={row === undefined}>
      {columns.map((name) => (
        <td key={name}>{row === undefined ? <span className={classes.later} /> : COLUMNS[name].cell(row)}</td>
      ))}
    </tr>
  )
})
