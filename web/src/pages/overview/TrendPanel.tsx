import type { ReactNode } from 'react'
import { Panel } from '../../ui/Panel.tsx'
import classes from './Trend.module.css'

/** As large before the chart is there as with it. */
export function TrendPanel({ period, children }: { period?: ReactNode; children: ReactNode }) {
  return (
    <Panel title="Over time" {...(period !== undefined && { actions: period })}>
      <div className={classes.content}>{children}</div>
    </Panel>
  )
}
