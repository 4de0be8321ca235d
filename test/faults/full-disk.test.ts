import { describe, expect, test } from 'vitest'
import type { Flag } from '../../src/fleet/flags.ts'
import type { ConnectionOptions } from '../../src/store/database.ts'
import { query } from '../store/embedded-postgres/support.ts'
import { waitFor } from '../support/wait.ts'
import type { AgentHost } from './support/agent-host.ts'
import { writeFigures } from './support/figures.ts'
import { type Fleet, startFleet } from './support/fleet.ts'
import { FULL_DISKS, type FullDisk } from './support/full-disk.ts'
import { createRandom } from './support/random.ts'
import { timeLimitMs, WAIT_MS } from './support/rounds.ts'
import { type Site, SITES } from './support/sites.ts'
import { expectUsualAnswers, USUAL_FLAGS, verifyLedger } from './support/verify-ledger.ts'

interface Setup {
  fleet: Fleet
  host: AgentHost
  connection: ConnectionOptions
}

async function start(site: Site, disk: FullDisk): Promise<Setup> {
  const random = createRandom('full disk')
  const started = await site.start()
  const fleet = await startFleet({ random, ...started, agents: 1, prepare: disk.prepare })
  const [host] = fleet.hosts
  if (host === undefined) throw new Error('the fleet has no host')
  await fleet.settle()
  return { fleet, host, connection: started.database }
}

const CASES = SITES.flatMap((site) => FULL_DISKS.map((full) => ({ ...full, site, suffix: site.suffix })))

describe.each(CASES)('with a full disk ($how)$suffix', ({ how, disk, site, suffix }) => {
  test(
    'an agent sends from memory, says so, and spools again when there is room',
    { timeout: timeLimitMs(2) },
    async () => {
      const { fleet, host, connection } = await start(site, disk)
      const { proxy } = fleet
      await disk.fill(host)
      await switchAndSee(fleet, host)
      await switchAndSee(fleet, host)
      await waitForFlag(connection, true)

      const heartbeats = proxy.record.heartbeatCount(host.key.id)
      await waitFor(() => proxy.record.heartbeatCount(host.key.id) > heartbeats, {
        timeoutMs: WAIT_MS,
        what: 'a heartbeat while the disk is full',
      })

      // with nobody to take them, reports wait in memory
      proxy.forwardTo([])
      await switchAndMake(host)
      await switchAndMake(host)
      fleet.spread()
      await fleet.shown()
      expect(await host.spooled()).toBe(0)

      await disk.free(host)
      const freedAt = performance.now()
      await switchAndSee(fleet, host)
      await switchAndSee(fleet, host)
      await waitForFlag(connection, false)
      const recoveryMs = [performance.now() - freedAt]

      // what was kept in memory is on disk again
      await fleet.settle()
      await host.process().end('SIGKILL')
      host.start()
      await switchAndSee(fleet, host)
      await fleet.settle()
      const ledger = await verifyLedger(connection, proxy.record)
      expectUsualAnswers(proxy.record)
      await fleet.stop()
      await writeFigures({ name: `disk full, ${how}${suffix}`, rounds: 1, recoveryMs, ...ledger })
    },
  )

  test(
    'an agent killed before it could write what it sent goes on, and its chain shows it',
    { timeout: timeLimitMs(2) },
    async () => {
      const { fleet, host, connection } = await start(site, disk)
      await disk.fill(host)
      await switchAndSee(fleet, host)
      await host.process().end('SIGKILL')
      host.start()
      await disk.free(host)
      await switchAndSee(fleet, host)
      await fleet.settle()
      const flags: Flag[] = [...USUAL_FLAGS, 'chain_broken']
      const ledger = await verifyLedger(connection, fleet.proxy.record, { breaks: { fork: 1 }, flags })
      await fleet.stop()
      await writeFigures({
        name: `disk full and killed, ${how}${suffix}`,
        rounds: 1,
        recoveryMs: [],
        ...ledger,
      })
    },
  )
})

async function switchAndSee(fleet: Fleet, host: AgentHost): Promise<void> {
  await host.switchSystem()
  await fleet.shown()
}

async function switchAndMake(host: AgentHost): Promise<void> {
  const made = (): number => host.process().lines.filter(({ msg }) => msg === 'report made').length
  const before = made()
  await host.switchSystem()
  await waitFor(() => made() > before, { timeoutMs: WAIT_MS, what: 'a report' })
}

async function waitForFlag(connection: ConnectionOptions, isUp: boolean): Promise<void> {
  await waitFor(
    async () => {
      const rows = await query(connection, `select from flags where flag = 'spool_failed'`)
      return rows.length === (isUp ? 1 : 0)
    },
    { timeoutMs: WAIT_MS, what: `the flag spool_failed ${isUp ? 'up' : 'down'}` },
  )
}
