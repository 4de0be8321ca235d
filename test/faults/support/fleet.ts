import { expect, onTestFailed, onTestFinished } from 'vitest'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import type { ConnectionOptions } from '../../../src/store/database.ts'
import { postgresProcesses } from '../../store/embedded-postgres/support.ts'
import { type AgentHost, type AgentHostOptions, createAgentHost } from './agent-host.ts'
import { createForgeServer, type ForgeServer } from './forge-server.ts'
import type { Random } from './random.ts'
import { type Deliver, type RecordingProxy, startRecordingProxy } from './recording-proxy.ts'
import { createReportingClient, type ReportingClient } from './reporting-client.ts'
import { startTcpBalancer } from './tcp-balancer.ts'
import { allAnswered, allCaughtUp, isShown, type Reporter, sentAll } from './waits.ts'

/** A server and agents as processes, and what stands between them. */
export interface Fleet {
  /** The first of the servers, and mostly the only one. */
  server: ForgeServer
  servers: ForgeServer[]
  proxy: RecordingProxy
  hosts: AgentHost[]
  clients: ReportingClient[]
  /** Hosts are switched and clients report, until `settle`. */
  startLoad: () => void
  /** Starts a server; requests go to it, and to the others that run. */
  startServer: (server?: ForgeServer) => Promise<void>
  /** Sends requests to the servers that run. */
  spread: () => void
  /**
   * Resolves when everybody has had an answer later than this moment of performance.now(), and the agents have caught
   * up, for which switching pauses: a spool that grows from fault to fault is full one day, and drops reports.
   */
  recovered: (sinceMs: number) => Promise<void>
  /** Resolves when the server shows what each host and client runs now. */
  shown: () => Promise<void>
  /** Ends the load; resolves when every spool is empty and all is shown. */
  settle: () => Promise<void>
  /** Stops all of it as a service manager does, and expects each to end with status 0. */
  stop: () => Promise<void>
}

export interface FleetOptions {
  random: Random
  /** Null: the server's own PostgreSQL. */
  database: ConnectionOptions | null
  /** On that one database. */
  servers?: number
  /** Of each server. */
  processes?: number
  /** Whether a balancer of connections stands before them. */
  balanced?: boolean
  agents: number
  clients?: number
  deliver?: Deliver
  /** What lies between agents and proxy; resolves with its URL. */
  link?: (proxy: RecordingProxy) => Promise<string>
  /** Of the agent with this number, from 0. */
  agent?: (index: number) => Pick<AgentHostOptions, 'nodeArgs' | 'env'>
  /** Called before its agent starts. */
  prepare?: (host: AgentHost) => Promise<void>
}

/** Starts all of it, and resolves when every agent has had its first answer. What is left of it ends with the test. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { random, database, clients: clientCount = 0 } = options
  const directory = await createDirectory()
  const proxy = await startRecordingProxy({ ...(options.deliver && { deliver: options.deliver }) })
  const serverUrl = (await options.link?.(proxy)) ?? proxy.url
  const hosts: AgentHost[] = []
  for (let index = 0; index < options.agents; index++) {
    const hostname = `host${index + 1}`
    hosts.push(await createAgentHost(directory, { hostname, random, serverUrl, ...options.agent?.(index) }))
  }
  const clients = Array.from({ length: clientCount }, (_, index) =>
    createReportingClient({ hostname: `client${index + 1}`, url: proxy.url, random }),
  )
  const reporters: Reporter[] = [...hosts, ...clients]
  const servers: ForgeServer[] = []
  for (let index = 0; index < (options.servers ?? 1); index++) {
    const name = `server${index + 1}`
    servers.push(
      await createForgeServer(directory, {
        database,
        name,
        processes: options.processes,
        systems: reporters,
      }),
    )
  }
  const [server] = servers
  if (server === undefined) throw new Error('a fleet needs a server')
  const started = (): (AgentHost | ForgeServer)[] => [...hosts, ...servers].filter((each) => each.isStarted())
  onTestFailed(() => {
    process.stderr.write(lastWords(started()))
  })
  onTestFinished(async () => {
    await Promise.all([...hosts, ...clients].map(stopLoad).map((stopped) => stopped.catch(() => {})))
    await Promise.all(started().map((each) => each.process().end('SIGKILL')))
    for (const each of servers)
      for (const pid of await postgresProcesses(each.stateDir)) process.kill(pid, 'SIGKILL')
    await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  })

  const running = (): ForgeServer[] =>
    servers.filter((each) => each.isStarted() && each.process().isRunning())
  const balancer = options.balanced === true ? await startTcpBalancer() : null
  const spread = (): void => {
    const addresses = running().map((each) => each.address())
    balancer?.setTargets(addresses)
    proxy.forwardTo(balancer === null ? addresses : [balancer.url])
  }
  const startServer = async (each: ForgeServer = server): Promise<void> => {
    await each.start()
    spread()
  }
  const recovered = async (sinceMs: number): Promise<void> => {
    await allAnswered(reporters, proxy.record, sinceMs)
    await Promise.all(hosts.map((host) => host.stopSwitching()))
    await allCaughtUp(hosts)
    for (const host of hosts) host.startSwitching()
  }
  const shown = async (): Promise<void> => {
    for (const reporter of reporters) await isShown(reporter, server.address())
  }

  for (const each of servers) await startServer(each)
  for (const host of hosts) {
    await options.prepare?.(host)
    host.start()
  }
  await allAnswered(hosts, proxy.record, 0)
  return {
    server,
    servers,
    proxy,
    hosts,
    clients,
    startLoad: () => {
      for (const host of hosts) host.startSwitching()
      for (const client of clients) client.start()
    },
    startServer,
    spread,
    recovered,
    shown,
    settle: async () => {
      await Promise.all([...hosts, ...clients].map(stopLoad))
      for (const host of hosts) await sentAll(host)
      await shown()
    },
    stop: async () => {
      for (const each of started()) {
        const ended = await each.process().end('SIGTERM')
        expect(ended, `how ${each.name} ended`).toBe('status 0')
      }
    },
  }
}

/** Which PostgreSQL's user may pass when we are root. */
async function createDirectory(): Promise<string> {
  const directory = await mkdtemp('/tmp/cf-faults-')
  await chmod(directory, 0o755)
  return directory
}

function stopLoad(each: AgentHost | ReportingClient): Promise<void> {
  return 'stopSwitching' in each ? each.stopSwitching() : each.stop()
}

/** For the output of a test that failed: the end of each log, and every error in it once. */
function lastWords(all: readonly (AgentHost | ForgeServer)[]): string {
  return all
    .map((each) => {
      const { lines } = each.process()
      const errors = new Set(lines.flatMap(({ err }) => (err === undefined ? [] : [JSON.stringify(err)])))
      const last = lines.slice(-10).map((line) => JSON.stringify(line))
      const text = [...errors, ...last].map((line) => `${line.slice(0, 300)}\n`).join('')
      return `--- errors of ${each.name}, and the end of its log:\n${text}`
    })
    .join('')
}
