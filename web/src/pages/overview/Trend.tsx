import { useState } from 'react'
import { useRead } from '../../api/queries.ts'
import { isKeyOf } from '../../keys.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { TrendChart } from './TrendChart.tsx'
import { TrendPanel } from './TrendPanel.tsx'
import { TrendTable } from './TrendTable.tsx'

const PERIODS = {
  '24h': 'One day',
  '7d': 'One week',
  '30d': '30 days',
  '90d': '90 days',
  '400d': '400 days',
} as const
type Period = keyof typeof PERIODS

/** How the fleet stood over time. */
export function Trend() {
  const [period, setPeriod] = useState<Period>('7d')
  const trend = useRead('getFleetTrend', { query: { period } })
  return (
    <TrendPanel
      period={
        <select
          aria-label="Period"
          value={period}
          onChange={({ target }) => isKeyOf(PERIODS, target.value) && setPeriod(target.value)}
        >
          {Object.entries(PERIODS).map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      }
    >
      <Loaded from={trend}>
        {(data) =>
          data.systems.every((count) => count === null) ? (
            <Empty title="Nothing was counted yet">
              <p>The fleet is counted every 15 minutes.</p>
            </Empty>
          ) : (
            <>
              <TrendChart trend={data} />
              <TrendTable trend={data} />
            </>
          )
        }
      </Loaded>
    </TrendPanel>
  )
}
