/**
 * How a report follows the one the server accepted before it:
 * - `start`: the first report of a system that says so itself
 * - `continues`: `previous` is the newest accepted report
 * - `restart`: the agent knows of no earlier report, the server does (lost state, a new machine)
 * - `fork`: `previous` is an older report than the newest (a restored or copied machine)
 * - `gap`: `previous` is not known here (reports were dropped, or this database was restored)
 * - `unchained`: version 0, whose reports name no predecessor
 */
export type Chain = 'start' | 'continues' | 'restart' | 'gap' | 'fork' | 'unchained'

/**
 * Places a report in its system's chain. Ids are `sha256:<hex>`; `isKnown` says whether the report's `previous` is
 * among the system's stored reports.
 */
export function placeInChain(report: {
  previous: string | null
  newest: string | null
  isKnown: boolean
}): Chain {
  if (report.previous === null) return report.newest === null ? 'start' : 'restart'
  if (report.previous === report.newest) return 'continues'
  return report.isKnown ? 'fork' : 'gap'
}

/** Whether an operator has to look at it. */
export function isBroken(chain: Chain): boolean {
  return chain === 'restart' || chain === 'gap' || chain === 'fork'
}
