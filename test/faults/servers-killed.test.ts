import { expect, onTestFinished, test } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { writeFigures } from './support/figures.ts'
import { startFleet } from './support/fleet.ts'
import { createRandom } from './support/random.ts'
import { momentOfRequest } from './support/random-moment.ts'
import { roundsOf, timeLimitMs } from './support/rounds.ts'
import { expectUsualAnswers, verifyLedger } from './support/verify-ledger.ts'

const rounds = roundsOf({ suite: 4, soak: 20 })

test(
  'of two servers behind a balancer either may be killed or stopped while agents talk to both',
  { timeout: timeLimitMs(rounds) },
  async () => {
    const random = createRandom('one of two servers killed')
    const { connection, drop } = await createTestDatabase()
    onTestFinished(drop)
    const fleet = await startFleet({
      random,
      database: connection,
      servers: 2,
      balanced: true,
      agents: 3,
      clients: 4,
    })
    const { proxy, servers } = fleet
    fleet.startLoad()
    const recoveryMs: number[] = []
    for (let round = 0; round < rounds; round++) {
      await momentOfRequest(proxy, random, { requests: 60 })
      const victim = servers[round % servers.length] ?? fleet.server
      // each in turn, killed twice and then stopped twice
      const [signal, ended] =
        round % 4 < 2 ? (['SIGKILL', 'SIGKILL'] as const) : (['SIGTERM', 'status 0'] as const)
      expect(await victim.process().end(signal)).toBe(ended)
      const killedAt = performance.now()
      await fleet.recovered(killedAt)
      recoveryMs.push(performance.now() - killedAt)
      await fleet.startServer(victim)
    }
    await fleet.settle()
    const ledger = await verifyLedger(connection, proxy.record)
    expectUsualAnswers(proxy.record)
    await fleet.stop()
    await writeFigures({ name: 'one of two servers killed or stopped', rounds, recoveryMs, ...ledger })
  },
)
