import { expect, onTestFinished, test } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { waitFor } from '../support/wait.ts'
import { writeFigures } from './support/figures.ts'
import { startFleet } from './support/fleet.ts'
import type { ForgeServer } from './support/forge-server.ts'
import { createRandom } from './support/random.ts'
import { momentOfRequest } from './support/random-moment.ts'
import { roundsOf, timeLimitMs, WAIT_MS } from './support/rounds.ts'
import { expectUsualAnswers, verifyLedger } from './support/verify-ledger.ts'

const rounds = roundsOf({ suite: 4, soak: 20 })
const PROCESSES = 2

test(
  'of the processes of one server any may be killed under load: nothing acknowledged is lost, and it comes back',
  { timeout: timeLimitMs(rounds) },
  async () => {
    const random = createRandom('one process of a server killed')
    const { connection, drop } = await createTestDatabase()
    onTestFinished(drop)
    const fleet = await startFleet({
      random,
      database: connection,
      processes: PROCESSES,
      agents: 3,
      clients: 4,
    })
    const { proxy, server } = fleet
    await server.process().logged('all processes of the server are ready')
    fleet.startLoad()
    const recoveryMs: number[] = []
    for (let round = 0; round < rounds; round++) {
      const number = (round % PROCESSES) + 1
      const victim = pidOf(server, number)
      await momentOfRequest(proxy, random, { requests: 60 })
      process.kill(victim, 'SIGKILL')
      const killedAt = performance.now()
      await fleet.recovered(killedAt)
      recoveryMs.push(performance.now() - killedAt)
      await waitFor(() => pidOf(server, number) !== victim, {
        timeoutMs: WAIT_MS,
        what: 'the process to be there again',
      })
    }
    await fleet.settle()
    const ledger = await verifyLedger(connection, proxy.record)
    expectUsualAnswers(proxy.record)
    await fleet.stop()
    await writeFigures({ name: 'one of two processes killed', rounds, recoveryMs, ...ledger })
  },
)

/** Of the process that was ready last with this number. */
function pidOf(server: ForgeServer, number: number): number {
  const line = server
    .process()
    .lines.findLast((each) => each.msg === 'a server process is ready' && each['process'] === number)
  expect(line, `the start of process ${number}`).toBeDefined()
  return Number(line?.['pid'])
}
