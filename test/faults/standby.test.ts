import { expect, test } from 'vitest'
import { writeFigures } from './support/figures.ts'
import { startFleet } from './support/fleet.ts'
import { freeze } from './support/freeze.ts'
import { startPostgresPair } from './support/postgres-pair.ts'
import { createRandom } from './support/random.ts'
import { momentOfRequest } from './support/random-moment.ts'
import { roundsOf, timeLimitMs } from './support/rounds.ts'
import { expectUsualAnswers, verifyLedger } from './support/verify-ledger.ts'

const FAULTS = ['primary killed', 'primary frozen', 'primary and server killed', 'primary stopped'] as const
const rounds = roundsOf({ suite: 1, soak: 20 })

test(
  'two servers follow to the standby when the primary is gone, and nothing acknowledged is lost',
  { timeout: timeLimitMs(rounds) },
  async () => {
    const random = createRandom('primary gone')
    const pair = await startPostgresPair()
    const fleet = await startFleet({
      random,
      database: pair.connection,
      servers: 2,
      balanced: true,
      agents: 3,
      clients: 4,
    })
    const { proxy, servers } = fleet
    fleet.startLoad()
    const recoveryMs: number[] = []
    let killFrozen: (() => Promise<void>) | undefined
    for (let round = 0; round < rounds; round++) {
      await momentOfRequest(proxy, random, { requests: 60 })
      const fault = FAULTS[round % FAULTS.length]
      if (fault === 'primary frozen') killFrozen = await freeze(pair.primary())
      else await pair.primary().end(fault === 'primary stopped' ? 'SIGINT' : 'SIGKILL')
      const victim = fault === 'primary and server killed' ? (servers[round % servers.length] ?? null) : null
      await victim?.process().end('SIGKILL')
      await pair.promote()
      const promotedAt = performance.now()
      if (victim !== null) await fleet.startServer(victim)
      await fleet.recovered(promotedAt)
      recoveryMs.push(performance.now() - promotedAt)
      await killFrozen?.()
      if (round < rounds - 1) await pair.rebuild()
    }
    await fleet.settle()
    for (const each of servers) expect(each.process().isRunning()).toBe(true)
    const ledger = await verifyLedger(pair.connection, proxy.record)
    expectUsualAnswers(proxy.record)
    await fleet.stop()
    await writeFigures({ name: 'primary gone, standby promoted', rounds, recoveryMs, ...ledger })
  },
)
