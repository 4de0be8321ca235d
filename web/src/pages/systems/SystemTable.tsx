import { ArrowDown } from 'lucide-react'
import { memo, useEffect, useMemo, useRef, useState } from 'react'
import { useNow } from '../../ui/Time.tsx'
import { CARD, type Column, type ColumnName, COLUMNS, type SystemRow } from './columns.tsx'
import type { SystemsSearch } from './search.ts'
import classes from './Systems.module.css'
import type { SystemList } from './use-systems.ts'
import { useNarrow } from './use-narrow.ts'
import { useSystemLinks } from './use-system-links.ts'
import { useWindow } from './use-window.ts'

/** As in the styles of the page. */
const ROW_PX = 44
const CARD_PX = 92

/** As many rows as there are systems, of which only those in sight exist; where there is no room for columns, cards. */
export function SystemTable({
  systems: { name: list, rows, total, readOn, see, hold },
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
  const now = useNow()
  const count = total ?? 0
  const { first, end } = useWindow(box, list, count, height)
  useEffect(() => {
    see(first, end - 1)
    if (end + 50 > rows.length) readOn()
  }, [first, end, rows.length, see, readOn])
  const links = useSystemLinks()
  const holding = useHolding(hold)
  const width = columns.reduce((sum, column) => sum + column.width, 0)
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- looks whether somebody is at a row, and follows its links
    <div ref={box} className={classes.box} {...links} {...holding}>
      <table className={classes.table} style={{ minWidth: width }} aria-rowcount={count + 1}>
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
          <Space height={first * height} />
          {Array.from({ length: end - first }, (_, index) => first + index).map((index) => (
            <Row key={index} index={index} row={rows[index]} columns={columns} now={now} />
          ))}
          <Space height={(count - end) * height} />
        </tbody>
      </table>
    </div>
  )
}

/** What holds the place of the rows that do not exist. */
function Space({ height }: { height: number }) {
  return height > 0 && <tr aria-hidden style={{ height }} />
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
  now,
}: {
  index: number
  row: SystemRow | undefined
  columns: Column[]
  now: number
}) {
  return (
    <tr aria-rowindex={index + 2} className={classes.row} aria-busy={row === undefined}>
      {columns.map(({ title, cell }) => (
        <td key={title}>{row === undefined ? <span className={classes.later} /> : cell(row, now)}</td>
      ))}
    </tr>
  )
})
