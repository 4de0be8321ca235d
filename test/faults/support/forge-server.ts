import { readFile, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Secret } from '../../../src/lib/secret.ts'
import { encodeBase64, type PrivateKey } from '../../../src/protocol/keys.ts'
import type { ConnectionOptions } from '../../../src/store/database.ts'
import { CLUSTER_NAME } from '../../../src/store/embedded-postgres/data-directory.ts'
import { layoutOf, PORT } from '../../../src/store/embedded-postgres/layout.ts'
import { type RunningProcess, startProcess } from './processes.ts'

/** The server of a test, as a process that can be started again and again. */
export interface ForgeServer {
  name: string
  /** Resolves when requests are answered. */
  start: () => Promise<void>
  /** Where it answers since its last start. */
  address: () => string
  isStarted: () => boolean
  /** The process that was started last. */
  process: () => RunningProcess
  /** How to look into its database; the embedded one is there once the server has started. */
  connection: () => Promise<ConnectionOptions>
  stateDir: string
}

export interface ForgeServerOptions {
  /** Null: a PostgreSQL of its own. */
  database: ConnectionOptions | null
  name: string
  processes?: number | undefined
  systems: readonly { hostname: string; key: PrivateKey }[]
}

export async function createForgeServer(
  directory: string,
  { database, name, processes = 1, systems }: ForgeServerOptions,
): Promise<ForgeServer> {
  const configPath = join(directory, `${name}.toml`)
  const stateDir = join(directory, name)
  await writeFile(
    configPath,
    configuration({ stateDir, processes }, database) + systems.map(declaration).join(''),
  )
  let running: RunningProcess | undefined
  let address = ''
  return {
    name,
    stateDir,
    start: async () => {
      running = startProcess({ args: ['server'], configPath })
      address = String((await running.logged('the server is ready'))['address'])
    },
    address: () => address,
    isStarted: () => running !== undefined,
    process: () => {
      if (running === undefined) throw new Error('the server was not started')
      return running
    },
    connection: async () => database ?? (await embeddedConnection(stateDir)),
  }
}

function configuration(
  { stateDir, processes }: { stateDir: string; processes: number },
  database: ConnectionOptions | null,
): string {
  const server = `[server]
host = "127.0.0.1"
port = 0
state_dir = "${stateDir}"
anonymous_read = true
evaluate = false
processes = ${processes}

[liveness]
heartbeat_interval = "10s"
`
  if (database === null) return server
  return `${server}
[database]
host = "${database.host}"
port = ${database.port}
user = "${database.user}"
password = "${database.password?.reveal() ?? ''}"
name = "${database.name}"
`
}

function declaration({ hostname, key }: { hostname: string; key: PrivateKey }): string {
  return `
[[systems]]
hostname = "${hostname}"
public_key = "${encodeBase64(key.publicKey)}"
`
}

/** Not by createEmbeddedPostgres: it would start PostgreSQL again by itself, which is for the server to do. */
async function embeddedConnection(stateDir: string): Promise<ConnectionOptions> {
  const { sockets, passwordFile } = layoutOf(await realpath(stateDir))
  return {
    host: sockets,
    port: PORT,
    user: CLUSTER_NAME,
    password: new Secret((await readFile(passwordFile, 'utf8')).trim()),
    name: CLUSTER_NAME,
    ssl: 'disable',
    ca: null,
  }
}
