import { type OperationName, paramsOf } from '../api/client.ts'

export interface LiveEvent {
  kind: 'drift' | 'flag_raised' | 'flag_ended' | 'report' | 'head' | 'evaluation'
  hostname: string | null
  flake_id: number | null
  commit: string | null
}

/** The reads whose answer an event of a kind may change. */
const FLEET = ['getFleetSummary', 'listAttention', 'listActivity', 'listSystems'] as const
const SYSTEM = ['getSystem', 'getTimeline', 'listDesiredCommits'] as const
const READS: Record<LiveEvent['kind'], readonly OperationName[]> = {
  drift: [...FLEET, ...SYSTEM],
  flag_raised: [...FLEET, ...SYSTEM],
  flag_ended: [...FLEET, ...SYSTEM],
  report: [...FLEET, ...SYSTEM, 'listReports', 'listFactChanges', 'listGenerations', 'listOnlinePeriods'],
  head: ['listFlakes', 'getFlake', 'listCommits', 'getCommit', 'listActivity', 'listAttention', ...SYSTEM],
  evaluation: [
    ...FLEET,
    ...SYSTEM,
    'listFlakes',
    'getFlake',
    'listCommits',
    'getCommit',
    'listCommitChanges',
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

/** The list of systems decides by itself when it is read again: not while somebody points at it. */
export function readsItself([name, , pages]: readonly unknown[]): boolean {
  return name === 'listSystems' && pages === 'pages'
}
