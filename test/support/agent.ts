import { renameSync, symlinkSync } from 'node:fs'
import { lstat, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createAgent, type AgentOptions } from '../../src/agent/agent.ts'
import type { Part } from '../../src/lib/lifecycle.ts'
import { createLogger, type Logger } from '../../src/lib/log.ts'
import { encodeBase64, generateSeed, parsePrivateKey, type PrivateKey } from '../../src/protocol/keys.ts'
import { unpackTree } from '../agent/unpack-tree.ts'
import { createAgentServer, type AgentServer, type AgentServerOptions } from './agent-server.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export const newKey = (): PrivateKey => parsePrivateKey(encodeBase64(generateSeed()))

/** A store path as `/run/current-system` could point to; `name` is part of it. */
export const storePath = (name: string): string =>
  `/nix/store/7w5m0c2v8k1zxq9n3bd4jhsy6prlgfai-nixos-system-web1-${name}`

/** The server of a test, stopped at its end. */
export async function startServer(options: AgentServerOptions = {}): Promise<AgentServer> {
  const server = await createAgentServer(options)
  onTestFinished(server.stop)
  return server
}

export interface LogLine {
  level: string
  msg: string
  [member: string]: unknown
}

export interface LogLines {
  log: Logger
  lines: LogLine[]
}

export function captureLog(): LogLines {
  const lines: LogLine[] = []
  const destination = {
    write: (line: string): void => {
      const parsed: LogLine = JSON.parse(line)
      lines.push(parsed)
    },
  }
  return { lines, log: createLogger({ level: 'debug', destination }) }
}

export interface Host {
  rootfs: string
  stateDir: string
  key: PrivateKey
  /** Replaces the link /run/current-system as a switch does: at once. */
  switchTo: (name: string) => Promise<void>
  /** Changes a fact that is none of the system's links. */
  rename: (hostname: string) => Promise<void>
  /** Another boot. */
  reboot: () => Promise<void>
}

/** A host of prepared files with an empty state directory, and a key that `server` knows. */
export async function createHost(server?: AgentServer): Promise<Host> {
  const rootfs = await unpackTree('vm')
  const key = newKey()
  server?.register(key.publicKey)
  return {
    rootfs,
    stateDir: await temporaryDirectory(),
    key,
    switchTo: (name) => replaceLink(join(rootfs, 'run/current-system'), storePath(name)),
    rename: (hostname) => writeFile(join(rootfs, 'etc/hostname'), `${hostname}\n`),
    reboot: () =>
      writeFile(join(rootfs, 'proc/sys/kernel/random/boot_id'), `${globalThis.crypto.randomUUID()}\n`),
  }
}

export async function replaceLink(path: string, target: string): Promise<void> {
  const temporary = join(dirname(path), `.link-${process.hrtime.bigint()}`)
  await symlink(target, temporary)
  await rename(temporary, path)
}

/** Replaces the link `count` times without letting anything else run in between. */
export function replaceLinkInBurst(path: string, target: (index: number) => string, count: number): void {
  for (let index = 0; index < count; index += 1) {
    symlinkSync(target(index), `${path}.new`)
    renameSync(`${path}.new`, path)
  }
}

export interface RunningAgent extends LogLines {
  agent: Part
}

/** An agent with a quick heartbeat on `host`; stopped when the test is over. Waiting is cut to 5 ms and recorded. */
export async function startAgent(
  host: Host,
  server: Pick<AgentServer, 'url'>,
  options: Partial<AgentOptions> = {},
): Promise<RunningAgent & { waits: number[] }> {
  const { log, lines } = captureLog()
  const waits: number[] = []
  const agent = createAgent({
    serverUrl: server.url,
    ca: null,
    key: host.key,
    enrollmentToken: null,
    heartbeatIntervalMs: 60_000,
    stateDir: host.stateDir,
    rootfs: host.rootfs,
    agentVersion: '1.2.3',
    log,
    notifier: { ready: async () => {}, stopping: async () => {} },
    random: () => 0.5,
    sleep: async (ms, signal) => {
      waits.push(ms)
      await pause(Math.min(ms, 5), signal)
    },
    ...options,
  })
  onTestFinished(agent.stop)
  await agent.start()
  return { agent, log, lines, waits }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Makes a directory one that nobody can write to, root included: a file takes its place. */
export async function breakDirectory(path: string): Promise<() => Promise<void>> {
  const kept = `${path}.kept`
  const existed = await lstat(path).then(
    () => true,
    () => false,
  )
  if (existed) await rename(path, kept)
  await writeFile(path, '')
  return async () => {
    await rm(path)
    if (existed) await rename(kept, path)
  }
}
