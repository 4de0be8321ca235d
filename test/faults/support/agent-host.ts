import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createPreparedHost, type PreparedHost } from './prepared-host.ts'
import { type RunningProcess, startProcess } from './processes.ts'
import type { Random } from './random.ts'

/** A prepared host with its agent. */
export interface AgentHost extends PreparedHost {
  name: string
  /** `env` over what it was set up with. */
  start: (env?: Readonly<Record<string, string>>) => void
  isStarted: () => boolean
  /** The agent that was started last. */
  process: () => RunningProcess
  /** Whether everything the agent made is accepted and its spool empty, as far as its files say. */
  hasSentAll: () => Promise<boolean>
  /** How many reports wait in the spool on disk. */
  spooled: () => Promise<number>
}

export interface AgentHostOptions {
  hostname: string
  random: Random
  /** Where its agent finds the server. */
  serverUrl: string
  nodeArgs?: readonly string[]
  env?: Readonly<Record<string, string>>
}

export async function createAgentHost(directory: string, options: AgentHostOptions): Promise<AgentHost> {
  const host = await createPreparedHost(directory, options)
  const configPath = join(directory, `${host.hostname}.toml`)
  await writeFile(
    configPath,
    `[client]
server_url = "${options.serverUrl}"
private_key = "${host.keyPath}"
heartbeat_interval = "1s"
state_dir = "${host.stateDir}"
rootfs = "${host.rootfs}"
`,
  )
  let running: RunningProcess | undefined
  const spooled = (): Promise<number> => countSpooled(join(host.stateDir, 'spool'))
  return {
    ...host,
    name: host.hostname,
    start: (env = {}) => {
      const { nodeArgs = [] } = options
      running = startProcess({ args: ['agent'], configPath, nodeArgs, env: { ...options.env, ...env } })
    },
    isStarted: () => running !== undefined,
    process: () => {
      if (running === undefined) throw new Error(`the agent of ${host.hostname} was not started`)
      return running
    },
    spooled,
    hasSentAll: async () => {
      const state: { made: { id: string } | null; accepted: { id: string } | null } = JSON.parse(
        await readFile(join(host.stateDir, 'state.json'), 'utf8'),
      )
      return state.made !== null && state.made.id === state.accepted?.id && (await spooled()) === 0
    },
  }
}

async function countSpooled(directory: string): Promise<number> {
  const names = await readdir(directory, { recursive: true })
  return names.filter((name) => name.endsWith('.json')).length
}
