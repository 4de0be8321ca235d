import { readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fetchDashboard, signIn } from './administrator.ts'
import { checkDrift } from './check-drift.ts'
import type { DemoFleet } from './fleet.ts'
import { tryForgeries } from './forgeries.ts'
import { type DemoHost, switchDemoHost } from './host.ts'
import { until } from './wait.ts'

/** What the demo promises: a switch is visible within this, milliseconds. */
const VISIBLE_WITHIN_MS = 1000

/**
 * Drives the running demo from end to end and says what it saw. Returns whether everything was as it should be; goes on
 * after a failure, so that all of them are seen.
 */
export async function checkFleet(fleet: DemoFleet, say: (line: string) => void): Promise<boolean> {
  let passed = true
  const expect = (ok: boolean, what: string) => {
    passed &&= ok
    say(`${ok ? 'ok  ' : 'FAIL'} ${what}`)
  }
  await checkDashboard(fleet, expect)
  await checkOnline(fleet, expect)
  await checkDrift(fleet, expect)
  for (const host of fleet.hosts) await checkSwitch(fleet, host, expect)
  for (const { what, expected, answer } of await tryForgeries(fleet))
    expect(`${answer.status} ${answer.problem}` === expected, `${what}: ${answer.status} ${answer.problem}`)
  await checkCrash(fleet, expect)
  return passed
}

type Expect = (ok: boolean, what: string) => void

async function checkDashboard({ url, administrator }: DemoFleet, expect: Expect): Promise<void> {
  const role = await signIn(url, administrator)
  expect(role === 'admin', `${administrator.name} signs in, and has the role ${role}`)
  const page = await fetchDashboard(url)
  expect(
    page.status === 200 && page.text.includes('<title>Crystal Forge</title>'),
    `the dashboard is at ${url}: ${page.status}, ${page.text.length} characters`,
  )
}

async function checkOnline(fleet: DemoFleet, expect: Expect): Promise<void> {
  const { systems } = await fleet.api.listSystems({})
  const online = systems.filter((system) => system.liveness === 'online').length
  expect(online === fleet.hosts.length, `${online} of ${fleet.hosts.length} systems online`)
  for (const host of fleet.hosts) {
    const { current_system: current } = await fleet.api.getSystem(host.name)
    expect(current === (await runningOn(host)), `${host.name} runs ${current}`)
  }
}

async function checkSwitch(fleet: DemoFleet, host: DemoHost, expect: Expect): Promise<void> {
  const path = await switchDemoHost(host)
  const switchedAt = performance.now()
  await untilRunning(fleet, host, path)
  const ms = Math.round(performance.now() - switchedAt)
  expect(ms <= VISIBLE_WITHIN_MS, `${host.name} was switched; the API showed it ${ms} ms later`)
}

/** The server dies without warning; a host changes meanwhile; nothing that was acknowledged may be gone. */
async function checkCrash(fleet: DemoFleet, expect: Expect): Promise<void> {
  const before = await allReports(fleet)
  const [host] = fleet.hosts
  if (host === undefined) throw new Error('the demo has no hosts')
  let path = ''
  await fleet.crashServer(async () => {
    path = await switchDemoHost(host)
  })
  const restartedAt = performance.now()
  await untilRunning(fleet, host, path)
  const seconds = ((performance.now() - restartedAt) / 1000).toFixed(1)
  expect(true, `the server was killed and restarted; ${host.name} caught up ${seconds} s later by itself`)
  const after = new Set(await allReports(fleet))
  const missing = before.filter((id) => !after.has(id))
  expect(
    missing.length === 0,
    `all ${before.length} reports acknowledged before are there: ${missing.length} missing`,
  )
  const { flags } = await fleet.api.getSummary()
  const raised = Object.entries(flags).filter(([flag, count]) => flag.startsWith('chain') && count > 0)
  expect(raised.length === 0, 'every chain of reports is whole')
}

async function allReports(fleet: DemoFleet): Promise<string[]> {
  const lists = await Promise.all(fleet.hosts.map((host) => fleet.api.reportIds(host.name)))
  return lists.flat()
}

async function untilRunning(fleet: DemoFleet, host: DemoHost, path: string): Promise<void> {
  await until(`${host.name} runs ${path}`, async () => {
    const system = await fleet.api.getSystem(host.name)
    return system.current_system === path ? true : null
  })
}

const runningOn = (host: DemoHost): Promise<string> => readlink(join(host.root, 'run/current-system'))
