import { addTestFlake, evaluateTestCommit, moveTestBranch, pathOf } from '../../support/evaluated.ts'
import { createSystemState } from '../../support/messages.ts'
import { registerTestAgent, type TestAgent } from '../../support/test-agent.ts'
import type { TestServer } from '../../support/test-server.ts'

export const FLAKE = 'github:yourorg/fleet'

/** Has an agent report that its host runs the system that a name stands for. */
export async function reportRunning(agent: TestAgent, name: string): Promise<void> {
  const path = pathOf(name)
  agent.state.system = {
    ...createSystemState(),
    current: path,
    booted: path,
    profile: path,
    reboot_needed: [],
  }
  const { status } = await agent.report({ reason: 'startup' })
  if (status !== 200) throw new Error(`the report of ${agent.hostname} was answered ${status}`)
}

/**
 * Four systems of one flake with two commits: web1 is in sync, web2 one commit behind, db1 runs what nobody knows, and
 * silent was never heard of.
 */
export async function createFleet(server: TestServer, environment = 'production') {
  const { db } = server.database
  const flakeId = await addTestFlake(db, { url: FLAKE })
  const [one, two] = await moveTestBranch(db, flakeId, ['one', 'two'])
  if (one === undefined || two === undefined) throw new Error('the branch has no commits')
  const settings = { flake_url: FLAKE, environment }
  const register = async (hostname: string): Promise<TestAgent> => {
    const agent = await registerTestAgent(server, { hostname })
    await server.api('PATCH', `/systems/${hostname}`, { body: settings })
    return agent
  }
  const agents = { web1: await register('web1'), web2: await register('web2'), db1: await register('db1') }
  await server.api('POST', '/systems', { body: { hostname: 'silent', ...settings } })
  await evaluateTestCommit(db, one, { web1: 'a', web2: 'b', db1: 'c', silent: 'd' })
  await evaluateTestCommit(db, two, { web1: 'a', web2: 'b2', db1: 'c', silent: 'd' })
  await reportRunning(agents.web1, 'a')
  await reportRunning(agents.web2, 'b')
  await reportRunning(agents.db1, 'by-hand')
  return { flakeId, one, two, ...agents }
}
