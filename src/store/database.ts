import { Kysely, PostgresDialect, Transaction } from 'kysely'
import { Client, type ClientConfig, Pool } from 'pg'
import { databasePlaces } from '../lib/config/network-kinds.ts'
import type { Logger } from '../lib/log.ts'
import type { Secret } from '../lib/secret.ts'
import { columnTypes } from './column-types.ts'
import { prepareMarked } from './prepared.ts'
import { createPrimaryClient, formatPlace } from './primary.ts'
import type { DB } from './schema.generated.ts'

/** Where a database is and as whom to open it. */
export interface ConnectionOptions {
  /**
   * A host name, an address, or the directory of a Unix socket (begins with `/`; never encrypted). Of several, with commas
   * between them, the one that accepts writes is used.
   */
  host: string
  /** Of each host that does not name its own: `db1:5433`. */
  port: number
  user: string
  password: Secret | null
  /** Of the database. */
  name: string
  /** `require` encrypts but trusts any certificate, as libpq does; `verify-full` checks it and the host name. */
  ssl: 'disable' | 'require' | 'verify-full'
  /** PEM certificates that `verify-full` trusts instead of the system's. */
  ca: string | null
}

export interface DatabaseOptions {
  maxConnections: number
  /** Shown in pg_stat_activity. */
  applicationName: string
  log: Logger
}

export interface Database {
  db: Kysely<DB>
  pool: Pool
  /** Waits for running queries, then closes every connection. May be called more than once. */
  close: () => Promise<void>
}

/** Longer than the slowest handshake of a loaded server, shorter than anyone would wait for an answer. */
const CONNECT_TIMEOUT_MS = 15_000

/**
 * A pool of connections, opened when first needed. A connection that is lost (server restart, network) fails the
 * queries on it and is replaced at the next one; it never ends the process. Columns come back as `column-types.ts` says.
 */
export function createDatabase(connection: ConnectionOptions, options: DatabaseOptions): Database {
  const pool = new Pool({
    ...clientConfig(connection, options.applicationName),
    Client: clientClass(connection),
    // many short queries of many clients: to start workers for one costs more than they save, and compiling it too, which
    // takes seconds for a statement as large as the one that judges drift
    options: '-c max_parallel_workers_per_gather=0 -c jit=off',
    max: options.maxConnections,
  })
  // Without a listener of its own the loss of a connection is an uncaught exception, lent out or idle.
  pool.on('connect', (client) => {
    client.on('error', (err) => options.log.warn({ err }, 'lost a database connection'))
    prepareMarked(client)
  })
  pool.on('error', () => {
    // of an idle connection: the client's listener has logged it
  })
  const db = new Kysely<DB>({ dialect: new PostgresDialect({ pool }) })
  let closing: Promise<void> | undefined
  return { db, pool, close: () => (closing ??= endPool(db, pool)) }
}

/** Runs `work` in the transaction that `db` is, else in one of its own. */
export async function inTransaction<T>(
  db: Kysely<DB>,
  work: (transaction: Transaction<DB>) => Promise<T>,
): Promise<T> {
  return db instanceof Transaction ? work(db) : db.transaction().execute(work)
}

/** Runs `work` on one connection of its own. Errors of connecting say where to. */
export async function withClient<T>(
  connection: ConnectionOptions,
  applicationName: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new (clientClass(connection))(clientConfig(connection, applicationName))
  client.on('error', () => {
    // the query that runs, or the next one, fails with it
  })
  try {
    await client.connect()
  } catch (error) {
    throw new Error(`cannot connect to ${describeConnection(connection)}`, { cause: error })
  }
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** What `pg` connects with: its own client, or one that finds the primary among several servers. */
export function clientClass(connection: ConnectionOptions): typeof Client {
  const places = databasePlaces(connection.host, connection.port)
  return places.length > 1
    ? createPrimaryClient(places, clientConfig(connection, 'crystal-forge looks for the primary'))
    : Client
}

/** The settings of `pg` for a connection. Of several hosts the first; a client of `clientClass` knows all. */
export function clientConfig(connection: ConnectionOptions, applicationName: string): ClientConfig {
  return {
    ...databasePlaces(connection.host, connection.port)[0],
    user: connection.user,
    database: connection.name,
    ...(connection.password && { password: connection.password.reveal() }),
    ssl: sslOptions(connection),
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // a firewall that forgets the connection is noticed, rather than waited for
    keepAlive: true,
    types: columnTypes,
  }
}

/** For error messages: `database "crystal_forge" at localhost:5432 as user "crystal_forge"`. */
export function describeConnection({ host, port, user, name }: ConnectionOptions): string {
  const places = databasePlaces(host, port).map(formatPlace).join(' or ')
  return `database "${name}" at ${places} as user "${user}"`
}

function sslOptions({ host, ssl, ca }: ConnectionOptions): ClientConfig['ssl'] {
  if (ssl === 'disable' || host.startsWith('/')) return false
  if (ssl === 'require') return { rejectUnauthorized: false }
  return ca === null ? { rejectUnauthorized: true } : { rejectUnauthorized: true, ca }
}

async function endPool(db: Kysely<DB>, pool: Pool): Promise<void> {
  await db.destroy()
  // Kysely ends only a pool that it has used.
  if (!pool.ended) await pool.end()
}
