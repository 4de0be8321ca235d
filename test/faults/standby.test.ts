import { expect, test } from 'vitest'
import { writeFigures } from './support/figures.ts'
import { startFleet } from './support/fleet.ts'
import { startPostgresPair } from './support/postgres-pair.ts'
import { createRandom } from './support/random.ts'
import { momentOfRequest } from './support/random-moment.ts'
import { roundsOf, timeLimitMs } from './support/rounds.ts'
import { expectUsualAnswers, verifyLedger } from './support/verify-ledger.ts'

const rounds = roundsOf({ suite: 1, soak: 20 })

test(
  'two servers follow to the standby when the primary is killed, and nothing acknowledged is lost',
  { timeout: timeLimitMs(rounds) },
  async () => {
    const random = createRandom('primary killed')
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
    for (let round = 0; round < rounds; round++) {
      if (round > 0) await pair.rebuild()
      await momentOfRequest(proxy, random, { requests: 60 })
      await pair.primary().end('SIGKILL')
      await pair.promote()
      const promotedAt = performance.now()
      await fleet.recovered(promotedAt)
      recoveryMs.push(performance.now() - promotedAt)
    }
    await fleet.settle()
    for (const each of servers) expect(each.process().isRunning()).toBe(true)
    const ledger = await verifyLedger(pair.connection, proxy.record)
    expectUsualAnswers(proxy.record)
    await fleet.stop()
    await writeFigures({ name: 'primary killed, standby promoted', rounds, recoveryMs, ...ledger })
  },
)
