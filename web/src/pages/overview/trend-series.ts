import type { Answer } from '../../api/client.ts'

export type TrendAnswer = Answer<'getFleetTrend'>

interface Series {
  title: string
  /** The name of a colour in styles/tokens.css. */
  colour: string
  dashed: boolean
  of: (trend: TrendAnswer) => (number | null)[]
}

/** What is drawn, and listed in the table. */
export const SERIES: readonly Series[] = [
  { title: 'In sync', colour: '--good', dashed: false, of: ({ standing }) => standing.in_sync },
  { title: 'Online', colour: '--info', dashed: false, of: ({ liveness }) => liveness.online },
  { title: 'Systems', colour: '--text-quiet', dashed: true, of: ({ systems }) => systems },
]

const moment = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
})
export const sayMoment = (time: string): string => moment.format(new Date(time))
