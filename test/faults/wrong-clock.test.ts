import { expect, test } from 'vitest'
import { fileURLToPath } from 'node:url'
import type { ConnectionOptions } from '../../src/store/database.ts'
import { query } from '../store/embedded-postgres/support.ts'
import { waitFor } from '../support/wait.ts'
import { writeFigures } from './support/figures.ts'
import { startFleet } from './support/fleet.ts'
import { createRandom } from './support/random.ts'
import { timeLimitMs, WAIT_MS } from './support/rounds.ts'
import { SITES } from './support/sites.ts'
import { expectUsualAnswers, verifyLedger } from './support/verify-ledger.ts'

const SHIFT_CLOCK = fileURLToPath(new URL('support/shift-clock.ts', import.meta.url))
const HOUR_MS = 3_600_000

test.each(SITES)(
  'an agent whose clock is an hour off reports all the same, says so, and goes on when it is put right$suffix',
  { timeout: timeLimitMs(2) },
  async ({ suffix, start }) => {
    const random = createRandom('wrong clock')
    const site = await start()
    const { database } = site
    const shifts = [HOUR_MS, -HOUR_MS, 0]
    const fleet = await startFleet({
      random,
      ...site,
      agents: shifts.length,
      agent: (index) => ({
        nodeArgs: ['--import', SHIFT_CLOCK],
        env: { CLOCK_SHIFT_MS: String(shifts[index]) },
      }),
    })
    const [ahead, behind] = fleet.hosts
    if (ahead === undefined || behind === undefined) throw new Error('the fleet has too few hosts')

    await waitFor(
      async () => {
        const skews = await skewsOf(database)
        return isAbout(skews['host1'], -3600) && isAbout(skews['host2'], 3600)
      },
      { timeoutMs: WAIT_MS, what: 'both flags clock_skew' },
    )
    expect(Object.keys(await skewsOf(database))).not.toContain('host3')
    fleet.startLoad()
    await fleet.proxy.requestsArrived(20)

    // one is put right while it runs, the other before it starts again
    process.kill(ahead.process().pid, 'SIGUSR2')
    await behind.process().end('SIGKILL')
    behind.start({ CLOCK_SHIFT_MS: '0' })
    const rightAt = performance.now()
    await waitFor(async () => Object.keys(await skewsOf(database)).length === 0, {
      timeoutMs: WAIT_MS,
      what: 'the end of both flags',
    })
    const recoveryMs = [performance.now() - rightAt]
    await fleet.settle()
    const ledger = await verifyLedger(database, fleet.proxy.record)
    expectUsualAnswers(fleet.proxy.record, ['/agent/state 401', '/agent/heartbeat 401'])
    await fleet.stop()
    await writeFigures({ name: `wrong clock${suffix}`, rounds: 1, recoveryMs, ...ledger })
  },
)

/** Seconds by host name, where the flag is up. */
async function skewsOf(connection: ConnectionOptions): Promise<Record<string, number>> {
  const rows = await query(
    connection,
    `select hostname, (details ->> 'clock_skew_secs')::integer as secs
     from flags join systems on id = system_id where flag = 'clock_skew'`,
  )
  return Object.fromEntries(rows.map(({ hostname, secs }) => [String(hostname), Number(secs)]))
}

function isAbout(secs: number | undefined, expected: number): boolean {
  return secs !== undefined && Math.abs(secs - expected) <= 5
}
