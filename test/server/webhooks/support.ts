import { createHmac, randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import { Secret } from '../../../src/lib/secret.ts'
import type { WebhookSecrets } from '../../../src/server/webhooks/secrets.ts'
import { addFlake } from '../../../src/store/flakes.ts'
import { SYNC_FLAKE } from '../../../src/store/job-queue.ts'
import type { DB } from '../../../src/store/schema.generated.ts'
import { startTestServer, type TestServer, type TestServerOptions } from '../../support/test-server.ts'
import type { Provider } from '../../../src/server/webhooks/providers.ts'
import { genericPush, giteaPush, githubPush, gitlabPush, type TestPush } from './payloads.ts'

export const SECRET = "It's a Secret to Everybody"
/** That of the specification of Standard Webhooks. */
export const SIGNING_TOKEN = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

const secretsOf = (texts: string[]) => texts.map((text) => new Secret(text))

/** Shared secrets, and those of flakes by their URLs. */
export function webhookSecrets(shared: string[], own: Record<string, string[]> = {}): WebhookSecrets {
  return {
    shared: secretsOf(shared),
    own: Object.entries(own).map(([url, texts]) => ({ url, branch: null, secrets: secretsOf(texts) })),
  }
}

/** A server that knows `SECRET` and the signing token, unless told of others. */
export const startWebhookServer = (
  secrets: WebhookSecrets = webhookSecrets([SECRET, SIGNING_TOKEN]),
  options: TestServerOptions = {},
): Promise<TestServer> =>
  startTestServer({ ...options, settings: { webhookSecrets: secrets, ...options.settings } })

export async function followFlake(
  db: Kysely<DB>,
  url: string,
  settings: { branch?: string; headBranch?: string } = {},
): Promise<number> {
  const flake = { url, branch: settings.branch ?? null, allowImportFromDerivation: false, searchDepth: 100 }
  const { id } = await addFlake(db, flake, false)
  if (settings.headBranch !== undefined)
    await db.updateTable('flakes').set({ head_branch: settings.headBranch }).where('id', '=', id).execute()
  return id
}

export interface Sent {
  status: number
  headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- the tests say what they expect in it
  body: any
}

/** Sends a webhook as it is. */
export async function post(
  server: Pick<TestServer, 'url'>,
  path: string,
  headers: Record<string, string>,
  body: string | Buffer<ArrayBuffer>,
): Promise<Sent> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

export const hex = (secret: string, body: string | Buffer, algorithm = 'sha256'): string =>
  createHmac(algorithm, secret).update(body).digest('hex')

/** The headers each provider sends with a push, but for the Content-Type. `signed` is what the HMAC is over. */
export function headersOf(
  provider: Provider,
  secret: string,
  signed: string,
  { delivery = randomUUID(), event = 'push' }: { delivery?: string; event?: string } = {},
): Record<string, string> {
  const signature = hex(secret, signed)
  const gitea = {
    'X-Gitea-Delivery': delivery,
    'X-Gitea-Event': event,
    'X-Gitea-Event-Type': event,
    'X-Gitea-Signature': signature,
    'X-Gogs-Delivery': delivery,
    'X-Gogs-Event': event,
    'X-Gogs-Event-Type': event,
    'X-Gogs-Signature': signature,
    'X-Hub-Signature': `sha1=${hex(secret, signed, 'sha1')}`,
    'X-Hub-Signature-256': `sha256=${signature}`,
    'X-GitHub-Delivery': delivery,
    'X-GitHub-Event': event,
    'X-GitHub-Event-Type': event,
  }
  const all: Record<Provider, Record<string, string>> = {
    github: {
      Accept: '*/*',
      'User-Agent': 'GitHub-Hookshot/044aadd',
      'X-GitHub-Delivery': delivery,
      'X-GitHub-Event': event,
      'X-GitHub-Hook-ID': '292430182',
      'X-GitHub-Hook-Installation-Target-ID': '79929171',
      'X-GitHub-Hook-Installation-Target-Type': 'repository',
      'X-Hub-Signature': `sha1=${hex(secret, signed, 'sha1')}`,
      'X-Hub-Signature-256': `sha256=${signature}`,
    },
    gitlab: {
      'User-Agent': 'GitLab/17.5.0-pre',
      'Idempotency-Key': delivery,
      'X-Gitlab-Event': event === 'push' ? 'Push Hook' : event,
      'X-Gitlab-Webhook-UUID': '6f67f9ed-a68b-4a5c-8eb1-a5d8f7d0f2c7',
      'X-Gitlab-Instance': 'https://git.example.org',
      'X-Gitlab-Event-UUID': randomUUID(),
      'X-Gitlab-Token': secret,
    },
    gitea,
    forgejo: {
      ...gitea,
      'X-Forgejo-Delivery': delivery,
      'X-Forgejo-Event': event,
      'X-Forgejo-Event-Type': event,
      'X-Forgejo-Signature': signature,
    },
    generic: { 'X-Crystal-Forge-Delivery': delivery, 'X-Crystal-Forge-Signature-256': `sha256=${signature}` },
  }
  return all[provider]
}

/** The headers of a webhook that GitLab signs. */
export function gitlabSigned(
  token: string,
  body: string,
  { delivery = randomUUID(), createdSecs = Math.floor(Date.now() / 1000) } = {},
): Record<string, string> {
  const key = Buffer.from(token.replace(/^whsec_/, ''), 'base64')
  const digest = createHmac('sha256', key).update(`${delivery}.${createdSecs}.${body}`).digest('base64')
  return {
    'X-Gitlab-Event': 'Push Hook',
    'Idempotency-Key': delivery,
    'webhook-id': delivery,
    'webhook-timestamp': String(createdSecs),
    'webhook-signature': `v1,${digest}`,
  }
}

export const PAYLOADS: Record<Provider, (push: TestPush) => object> = {
  github: githubPush,
  gitlab: (push) => gitlabPush(push),
  gitea: giteaPush,
  forgejo: giteaPush,
  generic: genericPush,
}

/** A push as the provider announces it, to the path of its own unless said otherwise. */
export function announce(
  server: Pick<TestServer, 'url'>,
  provider: Provider,
  push: TestPush,
  options: { secret?: string; delivery?: string; event?: string; path?: string } = {},
): Promise<Sent> {
  const body = JSON.stringify(PAYLOADS[provider](push))
  const headers = headersOf(provider, options.secret ?? SECRET, body, options)
  return post(server, options.path ?? `/webhook/${provider}`, headers, body)
}

/** The flakes that wait for a sync. */
export const waiting = async (server: Pick<TestServer, 'jobs'>): Promise<object[]> => server.jobs(SYNC_FLAKE)

/** Forgets the deliveries and the syncs that wait, so that tests can share a server. */
export async function clear(server: Pick<TestServer, 'jobs' | 'database'>): Promise<void> {
  // makes the queue where it is not there yet
  await waiting(server)
  const { db } = server.database
  await sql`delete from pgboss.job`.execute(db)
  await db.deleteFrom('webhook_deliveries').execute()
}

export const deliveries = (db: Kysely<DB>) =>
  db.selectFrom('webhook_deliveries').selectAll().orderBy('id').execute()
