import type { Spooled } from './spool.ts'
import { recordMade, type AgentState } from './state.ts'

/** The state says what became of the report, but a crash kept its file from going. */
export function isSettled({ accepted, discarded }: AgentState, report: Spooled): boolean {
  return report.id === discarded || report.sequence <= (accepted?.sequence ?? 0)
}

/** Takes in what was spooled after the state was last written: of the two the spool is written first. */
export function reconcile(state: AgentState, reports: readonly Spooled[]): void {
  const newest = reports.at(-1)
  if (newest === undefined || newest.sequence <= (state.made?.sequence ?? 0)) return
  // A new report tells what was dropped before it; one made again after a 409 tells what the first had told.
  const continuesChain = newest.previous === (state.made?.id ?? null)
  if (continuesChain) state.dropped = Math.max(0, state.dropped - newest.dropped)
  recordMade(state, newest)
}
