import 'uplot/dist/uPlot.min.css'
import { useEffect, useRef, useState } from 'react'
import UPlot from 'uplot'
import type { Answer } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import { isKeyOf } from '../../keys.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Panel } from '../../ui/Panel.tsx'
import classes from './Overview.module.css'

type TrendAnswer = Answer<'getFleetTrend'>
const PERIODS = {
  '24h': 'a day',
  '7d': 'a week',
  '30d': '30 days',
  '90d': '90 days',
  '400d': '400 days',
} as const
type Period = keyof typeof PERIODS

/** How the fleet stood over time; where nobody counted there is a gap. */
export function Trend() {
  const [period, setPeriod] = useState<Period>('7d')
  const trend = useRead('getFleetTrend', { query: { period } })
  return (
    <Panel
      title="Over time"
      actions={
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
      <div className={classes.chart}>
        <Loaded from={trend}>
          {(data) =>
            data.systems.every((count) => count === null) ? (
              <Empty title="Nothing was counted yet">
                <p>The fleet is counted every 15 minutes.</p>
              </Empty>
            ) : (
              <Chart trend={data} />
            )
          }
        </Loaded>
      </div>
    </Panel>
  )
}

function Chart({ trend }: { trend: TrendAnswer }) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const plot = new UPlot(optionsFor(element), dataOf(trend), element)
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [trend])
  return <div ref={place} role="img" aria-label={sayTrend(trend)} />
}

const HEIGHT = 230

function optionsFor(element: HTMLElement): UPlot.Options {
  // a canvas takes no var() and no light-dark(): the browser has to say what they come to
  const probe = document.createElement('span')
  element.append(probe)
  const colour = (name: string): string => {
    probe.style.color = `var(${name})`
    return getComputedStyle(probe).color
  }
  const axis = {
    stroke: colour('--text-quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
  }
  const options: UPlot.Options = {
    width: element.clientWidth,
    height: HEIGHT,
    scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.05)] } },
    axes: [axis, { ...axis, size: 60 }],
    series: [
      {},
      { label: 'Systems', stroke: colour('--text-quiet'), width: 1, dash: [4, 4] },
      { label: 'In sync', stroke: colour('--good'), width: 2 },
      { label: 'Online', stroke: colour('--info'), width: 2 },
    ],
  }
  probe.remove()
  return options
}

function dataOf({ times, systems, standing, liveness }: TrendAnswer): UPlot.AlignedData {
  return [times.map((time) => Date.parse(time) / 1000), systems, standing.in_sync, liveness.online]
}

function sayTrend({ systems, standing, liveness }: TrendAnswer): string {
  const last = systems.findLastIndex((count) => count !== null)
  return `At the end of the period ${standing.in_sync[last]} of ${systems[last]} systems in sync, ${liveness.online[last]} online`
}
