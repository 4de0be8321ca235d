import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, copyFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { waitFor } from '../../support/wait.ts'
import type { Evaluated, Service } from './nix.ts'

/** nobody and nogroup of Debian: whom no file belongs to. */
const NOBODY = 65_534

/** What the unit's user is: somebody without rights, where we may become that. */
const isRoot = process.getuid?.() === 0

export interface StartedUnit {
  /** What it has logged so far. */
  lines: () => { msg: string; [member: string]: unknown }[]
  /** What it has told systemd so far. */
  notified: () => string[]
  /** Its environment, as systemd would give it. */
  env: Record<string, string>
  stateDirectory: string
  /** Sends SIGTERM and resolves with the exit status. */
  stop: () => Promise<number | null>
}

export interface StartOptions {
  unit: string
  /** A directory that everybody can enter, and that holds `node`, `systemd-notify` and the bundles. */
  directory: string
  /** What stands for the program of the package, in `directory`. */
  program: string
}

/**
 * Starts a unit of a configuration as systemd would: its environment and no other, credentials in a directory of its
 * own, a state directory, a socket for notifications, and a user without rights and capabilities.
 */
export async function startUnit(
  evaluated: Evaluated,
  { unit, directory, program }: StartOptions,
): Promise<StartedUnit> {
  const service = evaluated.services[unit]
  if (service === undefined) throw new Error(`there is no unit ${unit}`)
  const own = join(directory, unit)
  const credentials = join(own, 'credentials')
  const stateDirectory = join(own, 'state')
  await mkdir(own)
  await loadCredentials(service, credentials)
  await mkdir(stateDirectory, { mode: 0o700 })
  await give(stateDirectory)

  // Of systemd: what a unit finds there is at a place that only it can see.
  const place = (text: string): string => text.replaceAll(`/run/credentials/${unit}.service`, credentials)
  const socket = join(own, 'notify')
  const notified = await listen(socket)
  const env: Record<string, string> = {
    ...Object.fromEntries(
      Object.entries(service.environment).map(([name, value]) => [name, place(value.replaceAll('%%', '%'))]),
    ),
    PATH: `${directory}:/usr/bin:/bin`,
    CREDENTIALS_DIRECTORY: credentials,
    STATE_DIRECTORY: stateDirectory,
    NOTIFY_SOCKET: socket,
    WATCHDOG_USEC: '2000000',
  }
  const configPath = env['CONFIG_PATH']
  if (configPath?.startsWith('/nix/store/')) {
    env['CONFIG_PATH'] = join(own, 'config.toml')
    await writeFile(env['CONFIG_PATH'], place(await evaluated.read(configPath)))
  }

  const [, ...args] = String(service.serviceConfig['ExecStart']).split(' ')
  const command = [...withoutRights(), join(directory, program), ...args]
  const child = spawn(command[0]!, command.slice(1), {
    env,
    cwd: stateDirectory,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      log += text
    })
  }
  return {
    lines: () => log.split('\n').filter(Boolean).map(parseLine),
    notified,
    env,
    stateDirectory,
    stop: () => end(child),
  }
}

async function end(child: ChildProcess): Promise<number | null> {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
  return child.exitCode
}

/** As systemd.exec(5) has it for units that are not root's: readable for their user, by mode 0440 and an ACL. */
async function loadCredentials({ serviceConfig }: Service, directory: string): Promise<void> {
  await mkdir(directory, { mode: 0o700 })
  const list = serviceConfig['LoadCredential']
  for (const each of Array.isArray(list) ? list.map(String) : []) {
    const [id, path] = [each.slice(0, each.indexOf(':')), each.slice(each.indexOf(':') + 1)]
    await copyFile(path, join(directory, id))
    await chmod(join(directory, id), 0o440)
    await give(join(directory, id))
  }
  await give(directory)
}

async function give(path: string): Promise<void> {
  if (isRoot) await chown(path, NOBODY, NOBODY)
}

function withoutRights(): string[] {
  if (!isRoot) return []
  const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
  return ['setpriv', ...ids, '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs', '--']
}

/** Node has no datagram sockets of the local kind; perl is a part of every Debian. */
const LISTENER = `socket(S, AF_UNIX, SOCK_DGRAM, 0) and bind(S, sockaddr_un($ARGV[0])) or die $!;
chmod 0777, $ARGV[0]; $| = 1; print "listening\\n"; while (defined recv(S, $m, 4096, 0)) { print "$m\\n" }`

async function listen(path: string): Promise<() => string[]> {
  const child = spawn('perl', ['-MSocket', '-e', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (chunk: string) => {
    text += chunk
  })
  await waitFor(() => text !== '', { timeoutMs: 30_000, what: `a socket at ${dirname(path)}` })
  return () => text.split('\n').filter((line) => /^(READY|WATCHDOG|STOPPING)=/.test(line))
}

function parseLine(line: string): { msg: string } {
  try {
    return JSON.parse(line)
  } catch {
    return { msg: line }
  }
}
