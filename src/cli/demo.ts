import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { checkFleet } from './demo/check.ts'
import { type DemoFleet, HOST_NAMES, startFleet } from './demo/fleet.ts'
import { createDemoApi } from './demo/api.ts'
import { deployDemoHost } from './demo/deploy.ts'
import { untilShown } from './demo/drift.ts'
import { followChanges } from './demo/follow.ts'
import { findDemoHost, switchDemoHost } from './demo/host.ts'
import { demoDirectory, findRunningDemo } from './demo/place.ts'
import { announcePush } from './demo/push.ts'
import { commitChange, findDemoRepository } from './demo/repository.ts'
import { EXIT } from './exit.ts'

const DEFAULT_PORT = 3000

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

export function createDemoCommand(): Command {
  return new Command('demo')
    .description(
      'Runs a whole system on this machine: a server on a PostgreSQL of its own, a Git repository with a flake that it ' +
        'evaluates by Nix, and four agents that report this hardware under pretended NixOS systems. Ctrl-C stops it ' +
        'and removes it.',
    )
    .option('--check', 'check itself from end to end, say what was seen, exit 0 or 1', false)
    .option('--port <port>', 'where the server listens', parsePort, DEFAULT_PORT)
    .action(({ check, port }: { check: boolean; port: number }) => (check ? runCheck() : runDemo(port)))
    .addCommand(
      hostCommand('switch', 'Switches a host to a system that somebody made by hand.', async (name) => {
        const { directory } = await findRunningDemo()
        say(`${name} now runs ${await switchDemoHost(await findDemoHost(directory, name))}`)
      }),
    )
    .addCommand(
      hostCommand(
        'deploy',
        'Switches a host to what Git says, as nixos-rebuild switch --flake would.',
        async (name) => {
          const demo = await findRunningDemo()
          const host = await findDemoHost(demo.directory, name)
          say(`${name} now runs ${await deployDemoHost(createDemoApi(demo), host)}`)
        },
      ),
    )
    .addCommand(
      hostCommand('push', "Commits a change to a host's configuration, and announces it.", async (name) => {
        const demo = await findRunningDemo()
        await findDemoHost(demo.directory, name)
        const repository = findDemoRepository(demo.directory)
        const commit = await commitChange(repository, name)
        await announcePush(demo, repository, commit)
        say(`${commit} changes ${name}`)
      }),
    )
}

function hostCommand(name: string, description: string, action: (host: string) => Promise<void>): Command {
  return new Command(name).description(description).argument('<host>', HOST_NAMES.join(', ')).action(action)
}

/** What node runs now: main.ts in a checkout, the bundle where it is installed. */
function ownProgram(): string {
  return process.argv[1] ?? ''
}

async function runCheck(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'crystal-forge-demo-'))
  const passed = await withFleet(directory, 0, async (fleet) => {
    await Promise.race([fleet.failure(), untilShown(fleet, say)])
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
    await Promise.race([fleet.failure(), stopped.promise, untilShown(fleet, say)])
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

function instructions(fleet: DemoFleet): string {
  return `
${fleet.hosts.length} hosts report to ${fleet.url}

The dashboard is there: open it, and sign in as

  name      ${fleet.administrator.name}
  password  ${fleet.administrator.password}

In another terminal:

  export CRYSTAL_FORGE_URL=${fleet.url}
  export CRYSTAL_FORGE_TOKEN=${fleet.token}

  script/crystal-forge status              the fleet on one screen
  script/crystal-forge drift               which hosts do not run what Git says, why and since when
  script/crystal-forge systems show web2   one host, with its facts and flags
  script/demo push web1                    commit a change to it, and watch it fall behind here
  script/demo deploy web1                  give it what Git says
  script/demo switch web1                  give it a system that somebody made by hand

The flake is in ${fleet.repository.path}
Ctrl-C stops everything. Logs and configuration are in ${fleet.directory}
`
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('a port is a number from 0 to 65535')
  return port
}
