import { expect, onTestFinished, test } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { createDisturber } from './support/disturb.ts'
import { writeFigures } from './support/figures.ts'
import { startFleet } from './support/fleet.ts'
import { createRandom } from './support/random.ts'
import { roundsOf, timeLimitMs } from './support/rounds.ts'
import { expectUsualAnswers, verifyLedger } from './support/verify-ledger.ts'

const requests = roundsOf({ suite: 600, soak: 10_000 })

test(
  'of requests that arrive twice, late or behind later ones each report is stored once and in order',
  { timeout: timeLimitMs(requests / 100) },
  async () => {
    const random = createRandom('repeated requests')
    const { connection, drop } = await createTestDatabase()
    onTestFinished(drop)
    const disturber = createDisturber(random, 0.2)
    const { deliver } = disturber
    const fleet = await startFleet({ random, database: connection, agents: 3, clients: 2, deliver })
    fleet.startLoad()
    for (let arrived = 0; arrived < requests; arrived += 100) await fleet.proxy.requestsArrived(100)
    await fleet.settle()
    await disturber.flush()

    const { record } = fleet.proxy
    // the copy of a report is known, that of a heartbeat has been seen
    expect([...disturber.copies.keys()].toSorted()).toEqual(
      expect.arrayContaining(['/agent/heartbeat 409', '/agent/state 200']),
    )
    expect(disturber.done.size).toBe(4)
    const ledger = await verifyLedger(connection, record)
    expectUsualAnswers(record, ['/agent/heartbeat 409'])
    await fleet.stop()
    await writeFigures({ name: 'requests repeated', rounds: requests, recoveryMs: [], ...ledger })
  },
)
