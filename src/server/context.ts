import type { Kysely } from 'kysely'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import type { LivenessLimits } from '../fleet/liveness.ts'
import type { JobRequests } from '../store/job-queue.ts'
import type { DB } from '../store/schema.generated.ts'
import type { OidcSettings } from './oidc/provider.ts'
import type { WebhookSecrets } from './webhooks/secrets.ts'

/** What of the configuration the HTTP part obeys. Times in milliseconds. */
export interface ServerSettings {
  publicUrl: string | null
  authorities: readonly string[]
  /** CIDRs whose X-Forwarded-* headers are believed. */
  trustedProxies: readonly string[]
  anonymousRead: boolean
  acceptVersion0: boolean
  heartbeatIntervalMs: number
  liveness: LivenessLimits
  /** PEM, or null for plain HTTP. */
  tls: { cert: Buffer; key: Buffer } | null
  /** Where /metrics is served without a token, on a listener of its own; null: with a token, beside the API. */
  metricsListen: { host: string; port: number } | null
  webhookSecrets: WebhookSecrets
  /** Null: people sign in with passwords alone. */
  oidc: OidcSettings | null
}

/** What every route is built with. */
export interface ServerContext {
  db: Kysely<DB>
  settings: ServerSettings
  clock: Clock
  log: Logger
  /** What evaluators are asked to do. */
  jobs: JobRequests
}
