import { useSyncExternalStore } from 'react'

/** The pages are in English: so are times, in the reader's kind of it. */
const ENGLISH = navigator.languages.find((language) => /^en\b/i.test(language)) ?? 'en-GB'
const exact = new Intl.DateTimeFormat(ENGLISH, { dateStyle: 'full', timeStyle: 'long' })
const relative = new Intl.RelativeTimeFormat(ENGLISH, { numeric: 'auto', style: 'long' })
const UNITS = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const

/** A time as it is said, with the exact one on hover and for machines; it grows older while it is looked at. */
export function Time({ at }: { at: string }) {
  return <TimeSince at={at} now={useNow()} />
}

/** Where very many times have one clock. */
export function TimeSince({ at, now }: { at: string; now: number }) {
  const date = new Date(at)
  return (
    <time dateTime={at} title={exact.format(date)}>
      {sayRelative((date.getTime() - now) / 1000)}
    </time>
  )
}

/** Milliseconds since 1970, which go on by themselves. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => tick)
}

function sayRelative(seconds: number): string {
  for (const [unit, length] of UNITS)
    if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit)
  return 'just now'
}

/** `1.2 s`, `10 s`, `340 ms`, `3 min 20 s`, `2 min`, `5 h`. */
export function sayDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${Math.round(ms / 100) / 10} s`
  if (ms < 3_600_000) return sayTwo(Math.round(ms / 1000), 'min', 's')
  return sayTwo(Math.round(ms / 60_000), 'h', 'min')
}

/** An amount of the smaller unit, of which 60 are one of the larger; a rest of nothing is not said. */
function sayTwo(amount: number, larger: string, smaller: string): string {
  const whole = `${Math.floor(amount / 60)} ${larger}`
  return amount % 60 === 0 ? whole : `${whole} ${amount % 60} ${smaller}`
}

let tick = Date.now()
const listeners = new Set<() => void>()
let ticking: ReturnType<typeof setInterval> | undefined

/** One clock for all times of a page. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  if (ticking === undefined) {
    // nobody has looked since the clock was stopped; React asks again once it has subscribed
    tick = Date.now()
    ticking = setInterval(() => {
      tick = Date.now()
      for (const each of listeners) each()
    }, 10_000)
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(ticking)
    ticking = undefined
  }
}
