import { expect, test } from 'vitest'
import { postmasterPid } from '../store/embedded-postgres/support.ts'
import { waitFor } from '../support/wait.ts'
import { startConfiguredPostgres } from './support/configured-postgres.ts'
import { writeFigures } from './support/figures.ts'
import { startFleet, type Fleet } from './support/fleet.ts'
import { createRandom } from './support/random.ts'
import { momentOfRequest } from './support/random-moment.ts'
import { roundsOf, timeLimitMs, WAIT_MS } from './support/rounds.ts'
import { expectUsualAnswers, verifyLedger } from './support/verify-ledger.ts'

const kills = roundsOf({ suite: 5, soak: 20 })

test(
  'a server whose own PostgreSQL is killed brings it up again, and has lost nothing it acknowledged',
  { timeout: timeLimitMs(kills) },
  async () => {
    const random = createRandom('PostgreSQL killed')
    const fleet = await startFleet({ random, database: null, agents: 3, clients: 4 })
    const { proxy, server } = fleet
    fleet.startLoad()
    const recoveryMs: number[] = []
    for (let round = 0; round < kills; round++) {
      await momentOfRequest(proxy, random, { requests: 60 })
      process.kill(await postmasterPid(server.stateDir), 'SIGKILL')
      const killedAt = performance.now()
      await isRefused(fleet)
      await fleet.recovered(performance.now())
      recoveryMs.push(performance.now() - killedAt)
    }
    await fleet.settle()
    expect(server.process().isRunning()).toBe(true)
    const ledger = await verifyLedger(await server.connection(), proxy.record)
    expectUsualAnswers(proxy.record)
    await fleet.stop()
    await writeFigures({ name: 'PostgreSQL killed', rounds: kills, recoveryMs, ...ledger })
  },
)

const stops = roundsOf({ suite: 2, soak: 6 })

test(
  'a configured PostgreSQL may be away for a while, stopped or killed',
  { timeout: timeLimitMs(stops) },
  async () => {
    const random = createRandom('PostgreSQL stopped')
    const postgres = await startConfiguredPostgres()
    const fleet = await startFleet({ random, database: postgres.connection, agents: 3, clients: 4 })
    const { proxy, server } = fleet
    fleet.startLoad()
    const recoveryMs: number[] = []
    for (let round = 0; round < stops; round++) {
      await momentOfRequest(proxy, random, { requests: 60 })
      await postgres.end(round % 2 === 0 ? 'SIGINT' : 'SIGKILL')
      await isRefused(fleet)
      const startedAt = performance.now()
      await postgres.start()
      await fleet.recovered(startedAt)
      recoveryMs.push(performance.now() - startedAt)
    }
    await fleet.settle()
    expect(server.process().isRunning()).toBe(true)
    const ledger = await verifyLedger(postgres.connection, proxy.record)
    expectUsualAnswers(proxy.record)
    await fleet.stop()
    await writeFigures({ name: 'PostgreSQL stopped', rounds: stops, recoveryMs, ...ledger })
  },
)

/** Someone was told that the database is away: the fault has been felt. */
async function isRefused({ proxy }: Fleet): Promise<void> {
  const told = (): number => proxy.record.statuses.get('/agent/state 503') ?? 0
  const before = told()
  await waitFor(() => told() > before, { timeoutMs: WAIT_MS, what: 'a request answered with 503' })
}
