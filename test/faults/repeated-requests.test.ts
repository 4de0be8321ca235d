import { expect, test } from 'vitest'
import { createDisturber } from './support/disturb.ts'
import { writeFigures } from './support/figures.ts'
import { startFleet } from './support/fleet.ts'
import { createRandom } from './support/random.ts'
import { roundsOf, timeLimitMs } from './support/rounds.ts'
import { SITES } from './support/sites.ts'
import { expectUsualAnswers, verifyLedger } from './support/verify-ledger.ts'

const requests = roundsOf({ suite: 600, soak: 10_000 })

test.each(SITES)(
  'of requests that arrive twice, late or behind later ones each report is stored once and in order$suffix',
  { timeout: timeLimitMs(requests / 100) },
  async ({ suffix, start }) => {
    const random = createRandom('repeated requests')
    const site = await start()
    const disturber = createDisturber(random, 0.2)
    const { deliver } = disturber
    const fleet = await startFleet({ random, ...site, agents: 3, clients: 2, deliver })
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
    const ledger = await verifyLedger(site.database, record)
    expectUsualAnswers(record, ['/agent/heartbeat 409'])
    await fleet.stop()
    await writeFigures({ name: `requests repeated${suffix}`, rounds: requests, recoveryMs: [], ...ledger })
  },
)
