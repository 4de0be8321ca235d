import { countFleet, countLiveness, type FleetSummary } from '../../store/fleet-summary.ts'
import type { ServerContext } from '../context.ts'
import { createReused } from './reused.ts'

/** Counts of the whole fleet: liveness as of a moment ago where the fleet is large (`createReused`), all else exact. */
export function createFleetCounts(context: Pick<ServerContext, 'db' | 'settings' | 'log'>) {
  const { db, settings, log } = context
  const readLiveness = createReused({
    read: () => countLiveness(db, settings.liveness),
    what: 'liveness',
    log,
  })
  return async (): Promise<FleetSummary> => {
    const counts = await countFleet(db)
    return { ...counts, liveness: await readLiveness(counts.systems) }
  }
}
export type FleetCounts = ReturnType<typeof createFleetCounts>
