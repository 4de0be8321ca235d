import 'uplot/dist/uPlot.min.css'
import { useEffect, useRef, useState } from 'react'
import UPlot from 'uplot'
import { onColoursChange } from '../../shell/theme.ts'
import { SERIES, sayMoment, type TrendAnswer } from './trend-series.ts'
import classes from './Trend.module.css'

const HEIGHT_PX = 220
const DAY_SECS = 86_400

/** A line for each series; where nobody counted there is a gap. */
export function TrendChart({ trend }: { trend: TrendAnswer }) {
  const place = useRef<HTMLDivElement>(null)
  const [pointed, setPointed] = useState<number | null>(null)
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const plot = new UPlot(optionsFor(element, setPointed), dataOf(trend), element)
    const stopListening = onColoursChange(() => plot.redraw())
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT_PX }))
    observer.observe(element)
    return () => {
      stopListening()
      observer.disconnect()
      plot.destroy()
    }
  }, [trend])
  const last = trend.systems.findLastIndex((count) => count !== null)
  return (
    <>
      <Legend trend={trend} at={pointed !== null && pointed < trend.times.length ? pointed : last} />
      <div ref={place} className={classes.chart} role="img" aria-label={sayTrend(trend, last)} />
    </>
  )
}

/** The numbers at the time that is pointed at, else the newest. */
function Legend({ trend, at }: { trend: TrendAnswer; at: number }) {
  return (
    <div className={classes.legend}>
      {SERIES.map(({ title, colour, dashed, of }) => (
        <span key={title}>
          <span
            className={classes.swatch}
            style={{ borderTop: `3px ${dashed ? 'dotted' : 'solid'} var(${colour})` }}
          />
          {title} <strong>{of(trend)[at]?.toLocaleString() ?? '–'}</strong>
        </span>
      ))}
      <span className={classes.moment}>{sayMoment(trend.times[at] ?? '')}</span>
    </div>
  )
}

function optionsFor(element: HTMLElement, point: (index: number | null) => void): UPlot.Options {
  const colour = (name: string) => () => colourOf(element, name)
  const axis = {
    stroke: colour('--text-quiet'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1, size: 4 },
  }
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    padding: [8, 24, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    hooks: { setCursor: [({ cursor }) => point(cursor.idx ?? null)] },
    scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.05)] } },
    axes: [
      { ...axis, size: 32, values: (_, times, __, ___, step) => times.map((time) => sayTick(time, step)) },
      {
        ...axis,
        size: 56,
        // systems are counted whole
        incrs: [1, 2, 5]
          .flatMap((one) => [0, 1, 2, 3, 4, 5, 6].map((power) => one * 10 ** power))
          .sort(byValue),
        values: (_, counts) => counts.map((count) => count.toLocaleString()),
      },
    ],
    series: [
      {},
      ...SERIES.map(({ title, colour: name, dashed }) => ({
        label: title,
        stroke: colour(name),
        width: dashed ? 1.5 : 2,
        points: { show: true, size: 5, filter: listAlone },
        ...(dashed && { dash: [4, 4] }),
      })),
    ],
  }
}

/** Of a series, the points that no line reaches: those counted after a gap and before one, or the first of all. */
function listAlone({ data }: UPlot, series: number): number[] {
  const counts = data[series] ?? []
  const isGap = (index: number): boolean => (counts[index] ?? null) === null
  return [...counts.keys()].filter((index) => !isGap(index) && isGap(index - 1) && isGap(index + 1))
}

const byValue = (a: number, b: number): number => a - b

/** A canvas takes no var() and no light-dark(): the browser has to say what they come to. */
function colourOf(element: HTMLElement, name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
/** Midnight is said by the day it begins. */
function sayTick(secs: number, step: number): string {
  const at = new Date(secs * 1000)
  const isMidnight = at.getHours() === 0 && at.getMinutes() === 0
  return (step < DAY_SECS && !isMidnight ? time : day).format(at)
}

function dataOf(trend: TrendAnswer): UPlot.AlignedData {
  return [trend.times.map((each) => Date.parse(each) / 1000), ...SERIES.map(({ of }) => of(trend))]
}

function sayTrend({ systems, standing, liveness }: TrendAnswer, last: number): string {
  return `At the end of the period ${standing.in_sync[last]} of ${systems[last]} systems in sync, ${liveness.online[last]} online`
}
