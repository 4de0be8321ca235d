import { deployDemoHost, untilInState } from './deploy.ts'
import { hostOf, SHOWN_STATES } from './drift.ts'
import type { DemoFleet } from './fleet.ts'
import { announcePush } from './push.ts'
import { commitChange } from './repository.ts'
import { until } from './wait.ts'

type Expect = (ok: boolean, what: string) => void

/** The four states, and that a push changes the drift of the hosts it changes and of no other. */
export async function checkDrift(fleet: DemoFleet, expect: Expect): Promise<void> {
  const { api } = fleet
  for (const [hostname, state] of Object.entries(SHOWN_STATES)) {
    const { drift } = await api.getSystem(hostname)
    expect(drift?.state === state, `${hostname} is ${drift?.state}`)
  }
  await deployDemoHost(api, hostOf(fleet, 'web2'))
  await untilInState(api, 'web2', 'in_sync')
  const before = await api.getSystem('web1')

  const commit = await commitChange(fleet.repository, 'web2')
  const pushedAt = performance.now()
  await announcePush(fleet, fleet.repository, commit)
  const { drift: behind } = await untilInState(api, 'web2', 'behind')
  const ms = Math.round(performance.now() - pushedAt)
  expect(
    behind?.commits_behind === 1 && behind.head_commit?.sha === commit,
    `a push that changes web2: ${ms} ms later it is ${behind?.commits_behind} commit behind`,
  )
  const { drift: unchanged } = await until('web1 is judged by the new commit', async () => {
    const system = await api.getSystem('web1')
    return system.drift?.desired_commit?.sha === commit ? system : null
  })
  expect(
    unchanged?.state === 'in_sync' && unchanged.since === before.drift?.since,
    `the same push does not change web1: it is ${unchanged?.state} since ${unchanged?.since}, as before`,
  )
  const path = await deployDemoHost(api, hostOf(fleet, 'web2'))
  const { drift: deployed } = await untilInState(api, 'web2', 'in_sync')
  expect(deployed?.running_path === path, 'web2 was deployed, and is in sync')
}
