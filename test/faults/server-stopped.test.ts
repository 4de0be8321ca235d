import { expect, test } from 'vitest'
import { writeFigures } from './support/figures.ts'
import { startFleet } from './support/fleet.ts'
import { createRandom } from './support/random.ts'
import { momentOfRequest } from './support/random-moment.ts'
import { roundsOf, timeLimitMs } from './support/rounds.ts'
import { expectUsualAnswers, verifyLedger } from './support/verify-ledger.ts'

const rounds = roundsOf({ suite: 3, soak: 20 })

test(
  'a server stopped by SIGTERM under load ends cleanly, and has lost nothing',
  { timeout: timeLimitMs(rounds) },
  async () => {
    const random = createRandom('server stopped')
    const fleet = await startFleet({ random, database: null, agents: 3, clients: 4 })
    const { proxy, server } = fleet
    fleet.startLoad()
    const recoveryMs: number[] = []
    for (let round = 0; round < rounds; round++) {
      await momentOfRequest(proxy, random, { requests: 60 })
      const askedAt = performance.now()
      expect(await server.process().end('SIGTERM')).toBe('status 0')
      const stoppedAt = performance.now()
      await fleet.startServer()
      await fleet.recovered(stoppedAt)
      recoveryMs.push(performance.now() - askedAt)
    }
    await fleet.settle()
    const ledger = await verifyLedger(await server.connection(), proxy.record)
    expectUsualAnswers(proxy.record)
    await fleet.stop()
    await writeFigures({ name: 'server stopped', rounds, recoveryMs, ...ledger })
  },
)
