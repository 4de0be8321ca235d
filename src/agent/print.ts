import { systemClock } from '../lib/clock.ts'
import { collectFingerprint } from './facts/collect.ts'
import type { AgentLogger } from './log.ts'
import { createObserver, LOOK_TIMEOUT_MS } from './observe.ts'
import { buildReport } from './report.ts'
import { createRoot } from './root.ts'

export interface PrintOptions {
  rootfs: string
  agentVersion: string
  log: AgentLogger
}

/** The report of this moment as it would be sent first by a new agent. Nothing is written or sent, no key is needed. */
export async function printReport({ rootfs, agentVersion, log }: PrintOptions): Promise<string> {
  const observer = createObserver({
    root: createRoot(rootfs),
    agentVersion,
    clock: systemClock,
    log,
    collect: collectFingerprint,
    timeoutMs: LOOK_TIMEOUT_MS,
  })
  const { observation } = await observer.observe()
  const { body } = buildReport(observation, {
    sequence: observation.observedAtMs,
    reason: 'startup',
    previous: null,
    dropped: 0,
    spoolFailed: false,
    clockSkewSecs: 0,
  })
  return `${JSON.stringify(JSON.parse(body.toString('utf8')), null, 2)}\n`
}
