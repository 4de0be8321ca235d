import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import { systemClock } from '../../src/lib/clock.ts'
import { createLogger } from '../../src/lib/log.ts'
import { VERSION } from '../../src/lib/version.ts'
import { verifyWithNode } from '../../src/protocol/ed25519.ts'
import { createApp } from '../../src/server/app.ts'
import type { ServerSettings } from '../../src/server/context.ts'
import type { DB } from '../../src/store/schema.generated.ts'

/** The text of docs/openapi.json: what a server of this version answers at /api/v1/openapi.json. Needs no database. */
export async function describeApi(): Promise<string> {
  const context = {
    db: createUnusedDatabase(),
    settings: SETTINGS,
    clock: systemClock,
    log: createLogger({ level: 'warn' }),
    jobs: { syncFlake: async () => {}, evaluateCommit: async () => true },
  }
  const { http } = await createApp(context, { verify: verifyWithNode, version: VERSION })
  try {
    const reply = await http.inject('/api/v1/openapi.json')
    if (reply.statusCode !== 200) throw new Error(`the description of the API cannot be had: ${reply.body}`)
    return `${JSON.stringify(reply.json(), null, 2)}\n`
  } finally {
    await http.close()
  }
}

/** None of them decides which routes the API has. */
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

function createUnusedDatabase(): Kysely<DB> {
  return new Kysely<DB>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
}
