import { countFleet, countLiveness, type FleetSummary } from '../../store/fleet-summary.ts'
import type { ServerContext } from '../context.ts'

/** To count this many contacts takes a few milliseconds: fewer are counted for every request. */
const REUSE_FROM = 10_000
/** For so long nothing is counted again. */
const FRESH_MS = 1000
/** For so long a count is answered while the next one is made. */
const USABLE_MS = 10_000

/**
 * Counts of the whole fleet. Liveness takes a look at each contact, as no index can be on what every heartbeat changes: for a
 * large fleet one count serves all that ask within a second, and those within ten while the next is made. All else is exact.
 */
export function createFleetCounts(context: Pick<ServerContext, 'db' | 'settings' | 'log'>) {
  const { db, settings, log } = context
  let last: { liveness: FleetSummary['liveness']; at: number } | null = null
  let counting: Promise<FleetSummary['liveness']> | null = null

  const count = async (): Promise<FleetSummary['liveness']> => {
    const liveness = await countLiveness(db, settings.liveness)
    last = { liveness, at: performance.now() }
    return liveness
  }
  const countOnce = () =>
    (counting ??= count().finally(() => {
      counting = null
    }))

  const readLiveness = async (systems: number): Promise<FleetSummary['liveness']> => {
    if (systems < REUSE_FROM) return countLiveness(db, settings.liveness)
    const age = last === null ? Infinity : performance.now() - last.at
    if (last === null || age > USABLE_MS) return countOnce()
    if (age > FRESH_MS)
      countOnce().catch((err: unknown) => log.warn({ err }, 'liveness could not be counted anew'))
    return last.liveness
  }

  return async (): Promise<FleetSummary> => {
    const counts = await countFleet(db)
    return { ...counts, liveness: await readLiveness(counts.systems) }
  }
}
export type FleetCounts = ReturnType<typeof createFleetCounts>
