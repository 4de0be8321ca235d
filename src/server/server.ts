import { readFile } from 'node:fs/promises'
import type { Kysely } from 'kysely'
import type { LivenessLimits } from '../fleet/liveness.ts'
import type { Clock } from '../lib/clock.ts'
import type { Config } from '../lib/config/load.ts'
import { createLifecycle, createPart, type Part } from '../lib/lifecycle.ts'
import type { Logger } from '../lib/log.ts'
import { VERSION } from '../lib/version.ts'
import { keyId, parsePublicKey } from '../protocol/keys.ts'
import type { FlakeSettings } from '../store/flakes.ts'
import { HISTORY_STEP, recordFleet } from '../store/fleet-history.ts'
import { warnOfFewConnections } from '../store/connection-count.ts'
import { createPresence } from '../store/instances.ts'
import { openStore, type Store } from '../store/open-store.ts'
import { createPartitions } from '../store/partitions.ts'
import { type DeclaredSystem, reconcile } from '../store/reconcile.ts'
import { applyRetention } from '../store/retention.ts'
import type { DB } from '../store/schema.generated.ts'
import { expireSessions } from '../store/sessions.ts'
import { expireSignInFailures } from '../store/sign-in-failures.ts'
import { addUpTally } from '../store/tally.ts'
import { createApp } from './app.ts'
import type { ServerSettings } from './context.ts'
import { createVerifier } from './ed25519.ts'
import type { BatchLimits } from './ingest/batcher.ts'
import { type Job, startRecurringJobs } from './jobs.ts'
import { createMetricsListener } from './metrics-listener.ts'
import { oidcSettingsOf } from './oidc/settings.ts'
import { offerSetUp } from './people/set-up-link.ts'
import type { Place } from './processes/place.ts'
import { webhookSecretsOf } from './webhooks/secrets.ts'

export interface Server {
  /** Resolves when requests are answered, with the address. */
  start: () => Promise<void>
  /** Finishes what is under way; everything acknowledged is committed. */
  stop: () => Promise<void>
  /** `http://host:port`, once started. */
  address: () => string
}

/** Connections that may wait to be taken, as far as the kernel lets them: after an outage all agents connect at once. */
const BACKLOG = 4096

/**
 * The whole server process: database, jobs, HTTP. All state is in the database, so that there may be many. Of several
 * processes that are one server the first alone does what is not for a request.
 */
export function createServer(options: {
  config: Config
  log: Logger
  clock: Clock
  /** Null: this process is the whole server. */
  place?: Place | null
  /** What else runs in the first process, on the same database: started when that is migrated, stopped before it. */
  beside?: (shared: Store) => Part
  /** How heartbeats are put together; default: as `createBatcher` does. */
  batches?: BatchLimits
}): Server {
  const { config, log, clock, batches = {}, place = null } = options
  const isFirst = place === null || place.number === 1
  const lifecycle = createLifecycle({ timeoutMs: 30_000 })
  let address = ''

  const start = async (): Promise<void> => {
    const { database, queue } = await openStore(lifecycle, {
      config,
      log,
      applicationName: 'crystal-forge server',
    })
    if (isFirst) await prepareDatabase(database.db, config, log)
    const settings = await settingsOf(config)
    const context = { db: database.db, settings, clock, log, jobs: queue.requests }
    const app = await createApp(context, {
      verify: createVerifier({ log }),
      version: VERSION,
      batches,
      place,
    })
    if (isFirst)
      await startRecurringJobs({
        db: database.db,
        queue,
        log,
        jobs: recurringJobs(config, settings.liveness, database.db),
      })
    if (isFirst && options.beside !== undefined) {
      const part = options.beside({ database, queue })
      await part.start()
      lifecycle.add('the evaluator', part.stop)
    }
    lifecycle.add('HTTP', () => app.http.close())
    if (settings.metricsListen !== null) {
      const listener = createMetricsListener(app.metrics, settings.metricsListen, log)
      lifecycle.add('metrics', listener.stop)
      await listener.start()
    }
    const { host, port } = config.server
    address = await app.http.listen({ host, port, backlog: BACKLOG })
    const presence = createPresence({ db: database.db, kind: 'server', log, id: place?.instances.server })
    lifecycle.add('its presence', presence.stop)
    await presence.start()
    log.info({ address }, 'the server is ready')
    if (isFirst)
      await offerSetUp({
        db: database.db,
        stateDir: config.server.state_dir,
        url: settings.publicUrl ?? address,
        log,
      })
    place?.ready()
  }

  return { ...createPart(lifecycle, start), address: () => address }
}

/** As the configuration has it. */
async function prepareDatabase(db: Kysely<DB>, config: Config, log: Logger): Promise<void> {
  await createPartitions(db)
  const archived = await reconcile(db, {
    flakes: config.flakes.map(declaredFlake),
    systems: config.systems.map(declaredSystem),
  })
  if (archived.flakes.length > 0)
    log.info({ flakes: archived.flakes }, 'archived flakes that are no longer declared')
  if (archived.systems.length > 0)
    log.info({ systems: archived.systems }, 'archived systems that are no longer declared')
  await warnOfFewConnections(db, config, log)
}

function recurringJobs(config: Config, liveness: LivenessLimits, db: Kysely<DB>): Job[] {
  return [
    {
      name: 'add-up-counts',
      schedule: { minute: 7 },
      run: async () => {
        await addUpTally(db)
      },
    },
    {
      name: 'record-history',
      schedule: { everyMinutes: HISTORY_STEP },
      run: () => recordFleet(db, liveness),
    },
    {
      name: 'expire-sessions',
      schedule: { minute: 27 },
      run: async () => {
        await expireSessions(db)
        await expireSignInFailures(db)
      },
    },
    { name: 'create-partitions', schedule: { minute: 17 }, run: () => createPartitions(db) },
    {
      name: 'apply-retention',
      schedule: { minute: 41, hour: 3 },
      run: async () => {
        await applyRetention(db, {
          reportsMs: config.retention.reports,
          onlinePeriodsMs: config.retention.online_periods,
          eventsMs: config.retention.events,
          auditMs: config.retention.audit,
          historyMs: config.retention.history,
        })
      },
    },
  ]
}

function declaredFlake(flake: Config['flakes'][number]): FlakeSettings {
  return {
    url: flake.url,
    branch: flake.branch,
    allowImportFromDerivation: flake.allow_import_from_derivation,
    searchDepth: flake.search_depth,
  }
}

function declaredSystem(system: Config['systems'][number]): DeclaredSystem {
  return {
    hostname: system.hostname,
    environment: system.environment,
    flakeUrl: system.flake_url,
    configuration: system.configuration,
    pinnedPath: system.derivation,
    keys: system.public_keys.map((text, index) => {
      try {
        const publicKey = parsePublicKey(text)
        return { id: keyId(publicKey), publicKey }
      } catch (cause) {
        throw new Error(`public key ${index + 1} of system ${system.hostname} cannot be used`, { cause })
      }
    }),
  }
}

async function settingsOf(config: Config): Promise<ServerSettings> {
  const { server, liveness } = config
  const { tls_cert_file: certFile, tls_key: key } = server
  return {
    publicUrl: server.public_url,
    authorities: server.authorities,
    trustedProxies: server.trusted_proxies,
    anonymousRead: server.anonymous_read,
    acceptVersion0: server.accept_v0_agents,
    heartbeatIntervalMs: liveness.heartbeat_interval,
    liveness: { lateAfterMs: liveness.late_after, offlineAfterMs: liveness.offline_after },
    tls:
      certFile === null || key === null
        ? null
        : { cert: await readFile(certFile), key: Buffer.from(key.reveal()) },
    metricsListen: server.metrics_listen,
    webhookSecrets: webhookSecretsOf(config),
    oidc: oidcSettingsOf(config),
  }
}
