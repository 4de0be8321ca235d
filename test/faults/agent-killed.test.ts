import { expect, test } from 'vitest'
import { waitFor } from '../support/wait.ts'
import type { AgentHost } from './support/agent-host.ts'
import { writeFigures } from './support/figures.ts'
import { startFleet } from './support/fleet.ts'
import { createRandom, type Random } from './support/random.ts'
import { momentOfRequest, momentOfWriting } from './support/random-moment.ts'
import type { RecordingProxy } from './support/recording-proxy.ts'
import { roundsOf, timeLimitMs, WAIT_MS } from './support/rounds.ts'
import { SITES } from './support/sites.ts'
import { expectUsualAnswers, verifyLedger } from './support/verify-ledger.ts'

const rounds = roundsOf({ suite: 5, soak: 50 })

test.each(SITES)(
  'agents killed at any moment go on with a whole chain, also after a reboot$suffix',
  { timeout: timeLimitMs(rounds) },
  async ({ suffix, start }) => {
    const random = createRandom('agents killed')
    const site = await start()
    const fleet = await startFleet({ random, ...site, agents: 3 })
    fleet.startLoad()
    const recoveryMs: number[] = []
    for (let round = 0; round < rounds; round++) {
      const times = await Promise.all(fleet.hosts.map((host) => killAgent(host, fleet.proxy, random)))
      recoveryMs.push(...times)
    }
    await fleet.settle()
    const ledger = await verifyLedger(site.database, fleet.proxy.record)
    expectUsualAnswers(fleet.proxy.record)
    await fleet.stop()
    await writeFigures({ name: `agents killed${suffix}`, rounds, recoveryMs, ...ledger })
  },
)

/** How long it took, from starting it again until the server had taken something of it. */
async function killAgent(host: AgentHost, proxy: RecordingProxy, random: Random): Promise<number> {
  if (random.chance(0.3)) await momentOfRequest(proxy, random, { requests: 10 })
  else await momentOfWriting(host.stateDir, random)
  expect(await host.process().end('SIGKILL')).toBe('SIGKILL')
  if (random.chance(0.3)) await host.reboot()
  const startedAt = performance.now()
  host.start()
  const lastAnswer = (): number => proxy.record.lastAcknowledgedMs.get(host.key.id) ?? 0
  await waitFor(() => lastAnswer() > startedAt, {
    timeoutMs: WAIT_MS,
    what: `an answer for ${host.hostname}`,
  })
  return lastAnswer() - startedAt
}
