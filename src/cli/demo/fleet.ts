import { randomBytes } from 'node:crypto'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createDemoApi, type DemoApi } from './api.ts'
import { type Child, startChild } from './child.ts'
import { freePort } from './free-port.ts'
import { createDemoHost, type DemoHost } from './host.ts'
import { createAdminToken } from './admin-token.ts'
import { makeAdministrator } from './administrator.ts'
import { type DemoPlace, writePlace } from './place.ts'
import { createDemoRepository, type DemoRepository } from './repository.ts'
import { until } from './wait.ts'

export const HOST_NAMES = ['web1', 'web2', 'db1', 'mail1'] as const

/** Seconds; the shortest a server may ask for, so that the demo is lively. */
const HEARTBEAT_SECS = 10

export interface DemoFleet extends DemoPlace {
  api: DemoApi
  hosts: DemoHost[]
  repository: DemoRepository
  /** Kills the server as a crash would, and starts it again. */
  crashServer: (whileDown: () => Promise<void>) => Promise<void>
  /** Rejects when a process ends by itself. */
  failure: () => Promise<never>
  stop: () => Promise<void>
}

/**
 * Starts a server on embedded PostgreSQL that follows a Git repository, and an agent on each host, enrolled by a token.
 * Everything is below `directory`.
 */
export async function startFleet(
  directory: string,
  options: { port: number; say: (line: string) => void; program: string },
): Promise<DemoFleet> {
  const { say, program } = options
  await mkdir(directory, { recursive: true })
  // when this is root, PostgreSQL runs as another user, who has to pass
  await chmod(directory, 0o711)
  const port = options.port === 0 ? await freePort() : options.port
  const url = `http://127.0.0.1:${port}`
  const repository = await createDemoRepository(directory, HOST_NAMES)
  const webhookSecret = randomBytes(24).toString('base64url')
  const serverConfig = await writeServerConfig(directory, { port, flake: repository.url, webhookSecret })
  const children: Child[] = []
  const startServer = async (): Promise<Child> => {
    const child = startChild({
      program,
      args: ['server'],
      configPath: serverConfig,
      logFile: join(directory, 'server.log'),
    })
    children.unshift(child)
    await Promise.race([child.failure, until('the server answers', () => isReady(url))])
    return child
  }
  const stop = async (): Promise<void> => {
    // the agents first: the server was started first
    const failures: unknown[] = []
    for (const child of children.toReversed())
      await child.stop().catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw new AggregateError(failures, 'the demo did not stop cleanly')
  }
  try {
    say('Starting a server on a PostgreSQL of its own ...')
    let server = await startServer()
    const token = await createAdminToken(serverConfig)
    const api = createDemoApi({ url, token })
    const hosts = await startAgents({ directory, program, url, api, children, repository })
    const administrator = await makeAdministrator(url, join(directory, 'state'))
    const place: DemoPlace = { directory, url, token, webhookSecret, administrator }
    await writePlace(place)
    return {
      ...place,
      api,
      hosts,
      repository,
      crashServer: async (whileDown) => {
        children.splice(children.indexOf(server), 1)
        await server.kill()
        await whileDown()
        server = await startServer()
      },
      failure: () => Promise.race(children.map((child) => child.failure)),
      stop,
    }
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }
}

async function startAgents(fleet: {
  directory: string
  program: string
  url: string
  api: DemoApi
  children: Child[]
  repository: DemoRepository
}): Promise<DemoHost[]> {
  const { directory, program, url, api, children, repository } = fleet
  const { token } = await api.createEnrollToken({
    name: 'demo',
    uses: HOST_NAMES.length,
    expires_in_secs: 3600,
    environment: 'demo',
    flake_url: repository.url,
    needs_approval: false,
  })
  const tokenFile = join(directory, 'enroll-token')
  await writeFile(tokenFile, token, { mode: 0o600 })
  const hosts: DemoHost[] = []
  for (const name of HOST_NAMES) {
    const host = await createDemoHost(directory, name)
    const config = join(directory, `${name}.toml`)
    await writeFile(
      config,
      `[client]
server_url = ${JSON.stringify(url)}
enrollment_token_file = ${JSON.stringify(tokenFile)}
heartbeat_interval = "${HEARTBEAT_SECS}s"
state_dir = ${JSON.stringify(join(directory, 'agents', name))}
rootfs = ${JSON.stringify(host.root)}
`,
    )
    const logFile = join(directory, `${name}.log`)
    children.push(startChild({ program, args: ['agent'], configPath: config, logFile }))
    hosts.push(host)
  }
  return hosts
}

async function writeServerConfig(
  directory: string,
  { port, flake, webhookSecret }: { port: number; flake: string; webhookSecret: string },
): Promise<string> {
  const secretFile = join(directory, 'webhook-secret')
  await writeFile(secretFile, webhookSecret, { mode: 0o600 })
  const path = join(directory, 'server.toml')
  await writeFile(
    path,
    `[server]
host = "127.0.0.1"
port = ${port}
state_dir = ${JSON.stringify(join(directory, 'state'))}

[liveness]
heartbeat_interval = "${HEARTBEAT_SECS}s"

[[flakes]]
url = ${JSON.stringify(flake)}
branch = "main"
webhook_secret_file = ${JSON.stringify(secretFile)}
`,
  )
  return path
}

async function isReady(url: string): Promise<true | null> {
  const response = await fetch(`${url}/health/ready`)
  await response.body?.cancel()
  return response.ok ? true : null
}
