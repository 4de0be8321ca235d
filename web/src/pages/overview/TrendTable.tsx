import { useState } from 'react'
import { SERIES, sayMoment, type TrendAnswer } from './trend-series.ts'
import classes from './Trend.module.css'

/** What the chart shows, as numbers, the newest first. */
export function TrendTable({ trend }: { trend: TrendAnswer }) {
  const [open, setOpen] = useState(false)
  const columns = SERIES.map((series) => series.of(trend))
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>As a table</summary>
      {open && (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- so that the keyboard can scroll it
        <div className={classes.numbers} role="region" aria-label="Over time, as a table" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {SERIES.map(({ title }) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {trend.times
                .map((time, index) => (
                  <tr key={time}>
                    <th scope="row">
                      <time dateTime={time}>{sayMoment(time)}</time>
                    </th>
                    {columns.map((counts, column) => (
                      <td key={SERIES[column]?.title}>{counts[index]?.toLocaleString() ?? 'not counted'}</td>
                    ))}
                  </tr>
                ))
                .toReversed()}
            </tbody>
          </table>
        </div>
      )}
    </details>
  )
}
