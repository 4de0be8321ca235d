import { deployDemoHost, untilInState } from './deploy.ts'
import type { DemoFleet } from './fleet.ts'
import type { DemoHost } from './host.ts'
import { announcePush } from './push.ts'
import { commitMistake } from './repository.ts'
import { until } from './wait.ts'

/** What the demo shows of each host. */
export const SHOWN_STATES = {
  web1: 'in_sync',
  web2: 'behind',
  mail1: 'evaluation_failed',
  db1: 'unmanaged',
} as const

/** Resolves when all hosts report, and each is in the state that the demo shows of it. */
export async function untilShown(fleet: DemoFleet, say: (line: string) => void): Promise<void> {
  say('Waiting for the agents to enrol and report ...')
  await until('all hosts report', async () => {
    const { systems } = await fleet.api.listSystems({})
    const reporting = systems.filter((system) => system.current_system !== null)
    return reporting.length === fleet.hosts.length ? true : null
  })
  say('Evaluating the flake, and letting the hosts drift from it ...')
  await letFleetDrift(fleet)
}

/** The hosts come up with systems made by hand; all but db1 get what Git says, and then Git says something new. */
export async function letFleetDrift(fleet: DemoFleet): Promise<void> {
  const { api, repository } = fleet
  for (const host of fleet.hosts.filter(({ name }) => name !== 'db1')) {
    await deployDemoHost(api, host)
    await untilInState(api, host.name, 'in_sync')
  }
  const commit = await commitMistake(repository, { changed: 'web2', broken: 'mail1' })
  await announcePush(fleet, repository, commit)
  for (const [hostname, state] of Object.entries(SHOWN_STATES)) await untilInState(api, hostname, state)
}

export function hostOf(fleet: DemoFleet, name: string): DemoHost {
  const host = fleet.hosts.find((each) => each.name === name)
  if (host === undefined) throw new Error(`the demo has no host ${name}`)
  return host
}
