import { mkdtemp, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { checkFleet } from './demo/check.ts'
import { type DemoFleet, HOST_NAMES, startFleet } from './demo/fleet.ts'
import { followChanges } from './demo/follow.ts'
import { findDemoHost, switchDemoHost } from './demo/host.ts'
import { until } from './demo/wait.ts'
import { EXIT } from './exit.ts'

const DEFAULT_PORT = 3000

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

export function createDemoCommand(): Command {
  return new Command('demo')
    .description(
      'Runs a whole system on this machine: a server on a PostgreSQL of its own, and three agents that report ' +
        'this hardware under pretended NixOS systems. Ctrl-C stops it and removes it.',
    )
    .option('--check', 'check itself from end to end, say what was seen, exit 0 or 1', false)
    .option('--port <port>', 'where the server listens', parsePort, DEFAULT_PORT)
    .action(({ check, port }: { check: boolean; port: number }) => (check ? runCheck() : runDemo(port)))
    .addCommand(
      new Command('switch')
        .description('Switches a host of the running demo to its next generation, as nixos-rebuild would.')
        .argument('<host>', HOST_NAMES.join(', '))
        .action(async (name: string) => {
          const host = await findDemoHost(demoDirectory(), name)
          say(`${name} now runs ${await switchDemoHost(host)}`)
        }),
    )
}

/** One demo at a time has a place of its own; root's must be reachable for the user PostgreSQL runs as. */
function demoDirectory(): string {
  if (process.getuid?.() === 0) return '/var/lib/crystal-forge-demo'
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local/state'), 'crystal-forge-demo')
}

/** What node runs now: main.ts in a checkout, the bundle where it is installed. */
function ownProgram(): string {
  return process.argv[1] ?? ''
}

async function runCheck(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'crystal-forge-demo-'))
  const passed = await withFleet(directory, 0, async (fleet) => {
    await Promise.race([fleet.failure(), untilOnline(fleet)])
    return checkFleet(fleet, say)
  })
  if (passed) await rm(directory, { recursive: true })
  else say(`What it left is in ${directory}`)
  say(passed ? 'Everything was as it should be.' : 'Something was not as it should be.')
  process.exitCode = passed ? EXIT.done : EXIT.failed
}

async function runDemo(port: number): Promise<void> {
  const directory = demoDirectory()
  await rm(directory, { recursive: true, force: true })
  const stopped = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.resolve())
  await withFleet(directory, port, async (fleet) => {
    await Promise.race([fleet.failure(), stopped.promise, untilOnline(fleet)])
    say(instructions(fleet))
    const following = new AbortController()
    const follow = followChanges(fleet.api, say, following.signal)
    try {
      await Promise.race([fleet.failure(), stopped.promise, follow])
    } finally {
      following.abort()
    }
    say('\nStopping ...')
  })
  await rm(directory, { recursive: true, force: true })
}

/** Stops the fleet after `use`, also when that fails; then its error is the one to see. */
async function withFleet<T>(
  directory: string,
  port: number,
  use: (fleet: DemoFleet) => Promise<T>,
): Promise<T> {
  const fleet = await startFleet(directory, { port, say, program: ownProgram() })
  let result: T
  try {
    result = await use(fleet)
  } catch (error) {
    await fleet.stop().catch(() => {})
    throw error
  }
  await fleet.stop()
  return result
}

async function untilOnline(fleet: DemoFleet): Promise<void> {
  say('Waiting for the agents to enrol and report ...')
  await until('all hosts report', async () => {
    const { systems } = await fleet.api.listSystems({})
    const reporting = systems.filter((system) => system.current_system !== null)
    return reporting.length === fleet.hosts.length ? true : null
  })
}

function instructions(fleet: DemoFleet): string {
  return `
${fleet.hosts.length} hosts report to ${fleet.url}

In another terminal:

  export CRYSTAL_FORGE_URL=${fleet.url}
  export CRYSTAL_FORGE_TOKEN=${fleet.token}

  script/crystal-forge status              the fleet on one screen
  script/crystal-forge systems show web1   one host, with its facts and flags
  script/demo switch web1                  give it another system, and watch it arrive here

Ctrl-C stops everything. Logs and configuration are in ${fleet.directory}
`
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('a port is a number from 0 to 65535')
  return port
}
