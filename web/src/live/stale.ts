import { type OperationName, paramsOf } from '../api/client.ts'

export interface LiveEvent {
  kind: 'drift' | 'flag_raised' | 'flag_ended' | 'report' | 'head' | 'evaluation'
  hostname: string | null
  flake_id: number | null
  commit: string | null
}

/** The reads whose answer an event of a kind may change. */
const READS: Record<LiveEvent['kind'], readonly OperationName[]> = {
  drift: ['getFleetSummary', 'listSystems', 'getSystem', 'getTimeline'],
  flag_raised: ['getFleetSummary', 'listSystems', 'getSystem', 'getTimeline'],
  flag_ended: ['getFleetSummary', 'listSystems', 'getSystem', 'getTimeline'],
  report: ['getFleetSummary', 'listSystems', 'getSystem', 'getTimeline', 'listReports'],
  head: ['listFlakes', 'getFlake', 'listCommits', 'getCommit'],
  evaluation: [
    'getFleetSummary',
    'listFlakes',
    'getFlake',
    'listCommits',
    'getCommit',
    'listEvaluations',
    'getEvaluation',
  ],
}

/** Whether what was read under this key (api/queries.ts) may differ after the event. */
export function isStaleAfter(event: LiveEvent, key: readonly unknown[]): boolean {
  const [name, input] = key
  if (!READS[event.kind].some((each) => each === name)) return false
  const hostname = paramsOf(input)['hostname']
  return hostname === undefined || event.hostname === null || hostname === event.hostname
}
