import type { FastifyInstance } from 'fastify'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { createLogger, type Logger } from '../../src/lib/log.ts'
import { createApp } from '../../src/server/app.ts'
import type { ServerSettings } from '../../src/server/context.ts'
import { createVerifier, type Verify } from '../../src/server/ed25519.ts'
import type { BatchLimits } from '../../src/server/ingest/batcher.ts'
import { createApiToken, type Role } from '../../src/store/api-tokens.ts'
import { type ConnectionOptions, createDatabase, type Database } from '../../src/store/database.ts'
import type { JobRequests } from '../../src/store/job-queue.ts'
import { createTestDatabase } from './database.ts'
import { createTestJobs } from './jobs.ts'

export interface TestServer {
  /** `http://127.0.0.1:<port>` */
  url: string
  /** Host and port: what agents send as Host and sign. */
  authority: string
  http: FastifyInstance
  connection: ConnectionOptions
  /** Asks evaluators for something, as the server does. */
  askFor: JobRequests
  /** What evaluators were asked to do, oldest first: the data of the jobs that wait. */
  jobs: (queue: string) => Promise<object[]>
  /** Reaches the database whatever is between it and the server. */
  database: Database
  adminToken: string
  /** Makes a further API token and returns its text. */
  createToken: (role: Role, expiresAt?: Date | null) => Promise<string>
  /** A request to a path below /api/v1, as admin unless said otherwise; `token: null` sends none. */
  api: (method: string, path: string, options?: ApiRequest) => Promise<ApiReply>
  /** Closes the server and removes its database. Call it in afterAll or onTestFinished. */
  stop: () => Promise<void>
}

export interface ApiRequest {
  token?: string | null
  /** Sent as JSON when given. */
  body?: unknown
  headers?: Record<string, string>
}

export interface ApiReply {
  status: number
  headers: Headers
  /** The JSON answer; null when there was none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- the tests say what they expect in it
  body: any
}

export interface TestServerOptions {
  settings?: Partial<ServerSettings>
  clock?: Clock
  log?: Logger
  verify?: Verify
  /** How heartbeats are put together. */
  batches?: BatchLimits
  /** How the server reaches its database, for tests that come in between. */
  connection?: (direct: ConnectionOptions) => ConnectionOptions
}

const SETTINGS: ServerSettings = {
  publicUrl: null,
  authorities: [],
  trustedProxies: [],
  anonymousRead: false,
  acceptVersion0: false,
  heartbeatIntervalMs: 60_000,
  liveness: { lateAfterMs: 180_000, offlineAfterMs: 900_000 },
  tls: null,
  metricsListen: null,
  webhookSecrets: { shared: [], own: [] },
  oidc: null,
}

/** The HTTP part of the server on a port of its own and a database of its own. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { connection, database, drop } = await createTestDatabase()
  const { db } = database
  const { clock = systemClock, log = createLogger({ level: 'silent' }), verify = createVerifier() } = options
  const settings = { ...SETTINGS, ...options.settings }
  const own =
    options.connection === undefined
      ? database
      : createDatabase(options.connection(connection), {
          maxConnections: 5,
          applicationName: 'test server',
          log,
        })
  const jobs = createTestJobs(connection)
  const { http } = await createApp(
    { db: own.db, settings, clock, log, jobs: jobs.requests },
    { verify, version: 'test', batches: options.batches ?? {} },
  )
  const url = await http.listen({ host: '127.0.0.1', port: 0 })

  const createToken = async (role: Role, expiresAt: Date | null = null): Promise<string> =>
    (await createApiToken(db, { name: `a test's ${role}`, role, expiresAt })).token
  const adminToken = await createToken('admin')

  const api = async (method: string, path: string, request: ApiRequest = {}): Promise<ApiReply> => {
    const { token = adminToken, body, headers } = request
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = text !== '' && (response.headers.get('content-type') ?? '').includes('json')
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : null }
  }

  const stop = async (): Promise<void> => {
    http.server.closeAllConnections()
    await http.close()
    await jobs.stop()
    await own.close()
    await drop()
  }
  return {
    url,
    authority: new URL(url).host,
    http,
    connection,
    askFor: jobs.requests,
    jobs: jobs.waiting,
    database,
    adminToken,
    createToken,
    api,
    stop,
  }
}
