import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown } from 'lucide-react'
import { memo, useEffect, useMemo, useRef, useState } from 'react'
import { CARD, type Column, type ColumnName, COLUMNS, type SystemRow } from './columns.tsx'
import type { SystemsSearch } from './search.ts'
import classes from './Systems.module.css'
import type { SystemList } from './use-systems.ts'
import { useNarrow } from './use-narrow.ts'

const ROW_PX = 44
const CARD_PX = 92

/** As many rows as there are systems, of which only those in sight exist; where there is no room for columns, cards. */
export function SystemTable({
  systems: { rows, total, readOn, see, hold },
  columns: chosen,
  sort,
  sortBy,
}: {
  systems: SystemList
  columns: ColumnName[]
  sort: NonNullable<SystemsSearch['sort']>
  sortBy: (sort: NonNullable<SystemsSearch['sort']>) => void
}) {
  const box = useRef<HTMLDivElement>(null)
  const isNarrow = useNarrow()
  const columns = useMemo(
    () => (isNarrow ? [CARD] : chosen.map((name): Column => COLUMNS[name])),
    [isNarrow, chosen],
  )
  const height = isNarrow ? CARD_PX : ROW_PX
  const virtual = useVirtualizer({
    count: total ?? 0,
    getScrollElement: () => box.current,
    estimateSize: () => height,
    overscan: 12,
  })
  useEffect(() => virtual.measure(), [virtual, height])
  const items = virtual.getVirtualItems()
  const first = items[0]?.index ?? 0
  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    see(first, last)
    if (last + 50 >= rows.length) readOn()
  }, [first, last, rows.length, see, readOn])
  const holding = useHolding(hold)
  const above = items[0]?.start ?? 0
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0)
  const width = columns.reduce((sum, column) => sum + column.width, 0)
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- only looks whether somebody is at a row
    <div ref={box} className={classes.box} data-list {...holding}>
      <table className={classes.table} style={{ minWidth: width }} aria-rowcount={(total ?? 0) + 1}>
        <colgroup>
          {columns.map(({ title, width: px }) => (
            <col key={title} style={isNarrow ? {} : { width: px }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Heading key={column.title} column={column} sort={sort} sortBy={sortBy} />
            ))}
          </tr>
        </thead>
        <tbody>
          {above > 0 && <tr aria-hidden className={classes.space} style={{ height: above }} />}
          {items.map(({ index, key }) => (
            <Row key={key} index={index} row={rows[index]} columns={columns} height={height} />
          ))}
          {below > 0 && <tr aria-hidden className={classes.space} style={{ height: below }} />}
        </tbody>
      </table>
    </div>
  )
}

/** Says whether the pointer or the focus is within. */
function useHolding(hold: (held: boolean) => void) {
  const [isPointed, setPointed] = useState(false)
  const [isFocused, setFocused] = useState(false)
  const held = isPointed || isFocused
  useEffect(() => {
    hold(held)
    return () => hold(false)
  }, [hold, held])
  return {
    onPointerEnter: () => setPointed(true),
    onPointerLeave: () => setPointed(false),
    onFocus: () => setFocused(true),
    onBlur: () => setFocused(false),
  }
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
  height,
}: {
  index: number
  row: SystemRow | undefined
  columns: Column[]
  height: number
}) {
  return (
    <tr aria-rowindex={index + 2} className={classes.row} style={{ height }} aria-busy={row === undefined}>
      {columns.map(({ title, cell }) => (
        <td key={title}>{row === undefined ? <span className={classes.later} /> : cell(row)}</td>
      ))}
    </tr>
  )
})
