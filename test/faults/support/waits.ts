import type { PrivateKey } from '../../../src/protocol/keys.ts'
import { waitFor } from '../../support/wait.ts'
import type { AgentHost } from './agent-host.ts'
import type { ProxyRecord } from './proxy-record.ts'
import { WAIT_MS } from './rounds.ts'

/** Whoever reports: an agent or a client. */
export interface Reporter {
  hostname: string
  key: PrivateKey
  system: () => { current: string; generation: number }
}

/** Everybody has had an answer since this moment of performance.now(). */
export async function allAnswered(
  reporters: readonly Reporter[],
  { lastAcknowledgedMs }: ProxyRecord,
  sinceMs: number,
): Promise<void> {
  const hasAnswer = ({ key }: Reporter): boolean => (lastAcknowledgedMs.get(key.id) ?? -1) >= sinceMs
  await waitFor(() => reporters.every(hasAnswer), { timeoutMs: WAIT_MS, what: 'an answer for everybody' })
}

export async function allCaughtUp(hosts: readonly AgentHost[]): Promise<void> {
  const areEmpty = async (): Promise<boolean> => {
    const spooled = await Promise.all(hosts.map((host) => host.spooled()))
    return spooled.every((reports) => reports === 0)
  }
  await waitFor(areEmpty, { timeoutMs: WAIT_MS, what: 'empty spools' })
}

export async function sentAll(host: AgentHost): Promise<void> {
  await waitFor(
    async () => {
      if (!host.process().isRunning()) throw new Error('the agent has ended')
      return await host.hasSentAll()
    },
    { timeoutMs: WAIT_MS, what: `an empty spool of ${host.hostname}` },
  )
}

export async function isShown({ hostname, system }: Reporter, address: string): Promise<void> {
  const shown = async (): Promise<boolean> => {
    const response = await fetch(`${address}/api/v1/systems/${hostname}`)
    const detail: { current_system?: string; system?: { generation?: number } } = JSON.parse(
      await response.text(),
    )
    const { current, generation } = system()
    return detail.current_system === current && detail.system?.generation === generation
  }
  await waitFor(shown, { timeoutMs: WAIT_MS, what: `the last system of ${hostname}` })
}
