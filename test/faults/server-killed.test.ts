import { expect, test } from 'vitest'
import { postmasterPid } from '../store/embedded-postgres/support.ts'
import { writeFigures } from './support/figures.ts'
import { startFleet } from './support/fleet.ts'
import { createRandom } from './support/random.ts'
import { momentOfRequest } from './support/random-moment.ts'
import { roundsOf, timeLimitMs } from './support/rounds.ts'
import { expectUsualAnswers, verifyLedger } from './support/verify-ledger.ts'

const rounds = roundsOf({ suite: 5, soak: 50 })

test(
  'a server killed under load has lost nothing it acknowledged, and agents go on by themselves',
  { timeout: timeLimitMs(rounds) },
  async () => {
    const random = createRandom('server killed')
    const fleet = await startFleet({ random, database: null, agents: 3, clients: 4 })
    const { proxy, server } = fleet
    fleet.startLoad()
    const recoveryMs: number[] = []
    for (let round = 0; round < rounds; round++) {
      await momentOfRequest(proxy, random, { requests: 60 })
      // half of the time with its PostgreSQL, as when the machine goes down
      if (random.chance(0.5)) process.kill(await postmasterPid(server.stateDir), 'SIGKILL')
      expect(await server.process().end('SIGKILL')).toBe('SIGKILL')
      const killedAt = performance.now()
      await fleet.startServer()
      await fleet.recovered(killedAt)
      recoveryMs.push(performance.now() - killedAt)
    }
    await fleet.settle()
    const ledger = await verifyLedger(await server.connection(), proxy.record)
    expectUsualAnswers(proxy.record)
    await fleet.stop()
    await writeFigures({ name: 'server killed', rounds, recoveryMs, ...ledger })
  },
)
