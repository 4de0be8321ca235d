import { test } from 'vitest'
import { waitFor } from '../support/wait.ts'
import { writeFigures } from './support/figures.ts'
import { type Fleet, startFleet } from './support/fleet.ts'
import { createRandom } from './support/random.ts'
import { roundsOf, timeLimitMs, WAIT_MS } from './support/rounds.ts'
import { SITES } from './support/sites.ts'
import { startTcpLink, type TcpLink } from './support/tcp-link.ts'
import { expectUsualAnswers, verifyLedger } from './support/verify-ledger.ts'

const rounds = roundsOf({ suite: 2, soak: 10 })

test.each(SITES)(
  'what is made while the network is broken, cut, stalled or slow arrives once and in order$suffix',
  { timeout: timeLimitMs(rounds * 4) },
  async ({ suffix, start }) => {
    const random = createRandom('network')
    const site = await start()
    const links: TcpLink[] = []
    const fleet = await startFleet({
      random,
      ...site,
      agents: 3,
      link: async (proxy) => {
        const link = await startTcpLink(proxy.url)
        links.push(link)
        return link.url
      },
    })
    const [link] = links
    if (link === undefined) throw new Error('the fleet has no link')
    fleet.startLoad()
    const recoveryMs: number[] = []
    const recover = async (): Promise<void> => {
      const openedAt = performance.now()
      link.set('open')
      await fleet.recovered(openedAt)
      recoveryMs.push(performance.now() - openedAt)
    }
    for (let round = 0; round < rounds; round++) {
      for (let breaks = 0; breaks < 5; breaks++) {
        await fleet.proxy.requestsArrived(random.integer(1, 3))
        link.breakAfter(random.integer(1, 8_000))
      }
      await recover()

      link.set('cut')
      await everySpoolGrows(fleet, 4)
      await recover()

      link.set('stalled')
      await everySpoolGrows(fleet, 4)
      if (random.chance(0.5)) link.set('cut')
      await recover()

      link.set('slow')
      await fleet.proxy.requestsArrived(10)
      await recover()
    }
    await fleet.settle()
    const ledger = await verifyLedger(site.database, fleet.proxy.record)
    // a heartbeat whose answer was lost is sent again at once, and has been seen
    expectUsualAnswers(fleet.proxy.record, ['/agent/heartbeat 409'])
    await fleet.stop()
    await writeFigures({ name: `network${suffix}`, rounds: rounds * 4, recoveryMs, ...ledger })
  },
)

/** By so many reports, and so for some seconds. */
async function everySpoolGrows({ hosts }: Fleet, reports: number): Promise<void> {
  const count = (): Promise<number[]> => Promise.all(hosts.map((host) => host.spooled()))
  const before = await count()
  const all = async (): Promise<boolean> =>
    (await count()).every((now, index) => now >= (before[index] ?? 0) + reports)
  await waitFor(all, { timeoutMs: WAIT_MS, what: `${reports} more reports in every spool` })
}
