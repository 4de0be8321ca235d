import { createHash, createHmac, randomUUID } from 'node:crypto'

export const PROVIDERS = ['github', 'gitlab', 'gitea', 'forgejo', 'generic'] as const
export type Provider = (typeof PROVIDERS)[number]

export interface SimulatedPush {
  /** What Git clones. */
  remote: string
  branch: string
  commit: string
}

export interface Webhook {
  path: string
  headers: Record<string, string>
  body: string
}

const SIGNING_PREFIX = 'whsec_'

/** A push as a provider announces it, with what of its payload a server may use, signed with `secret` at `nowMs`. */
export function createWebhook(
  provider: Provider,
  push: SimulatedPush,
  secret: string,
  nowMs: number,
): Webhook {
  const body = JSON.stringify(payloadOf(provider, push))
  const delivery = randomUUID()
  const signature = createHmac('sha256', secret).update(body).digest('hex')
  const headers: Record<Provider, () => Record<string, string>> = {
    github: () => ({
      'X-GitHub-Event': 'push',
      'X-GitHub-Delivery': delivery,
      'X-Hub-Signature-256': `sha256=${signature}`,
    }),
    gitlab: () => gitlabHeaders({ delivery, body, secret, nowMs }),
    gitea: () => ({
      'X-Gitea-Event': 'push',
      'X-Gitea-Delivery': delivery,
      'X-Gitea-Signature': signature,
    }),
    forgejo: () => ({
      'X-Forgejo-Event': 'push',
      'X-Forgejo-Delivery': delivery,
      'X-Forgejo-Signature': signature,
    }),
    generic: () => ({
      'X-Crystal-Forge-Delivery': delivery,
      'X-Crystal-Forge-Signature-256': `sha256=${signature}`,
    }),
  }
  return { path: `webhook/${provider}`, headers: headers[provider](), body }
}

/** A signing token signs; any other secret is sent itself. */
function gitlabHeaders(given: { delivery: string; body: string; secret: string; nowMs: number }) {
  const { delivery, body, secret, nowMs } = given
  const common = { 'X-Gitlab-Event': 'Push Hook', 'Idempotency-Key': delivery }
  if (!secret.startsWith(SIGNING_PREFIX)) return { ...common, 'X-Gitlab-Token': secret }
  const key = Buffer.from(secret.slice(SIGNING_PREFIX.length), 'base64')
  const timestamp = String(Math.floor(nowMs / 1000))
  const digest = createHmac('sha256', key).update(`${delivery}.${timestamp}.${body}`).digest('base64')
  return {
    ...common,
    'webhook-id': delivery,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${digest}`,
  }
}

function payloadOf(provider: Provider, { remote, branch, commit }: SimulatedPush): object {
  const pushed = { ref: `refs/heads/${branch}`, after: commit }
  if (provider === 'generic') return { repository: remote, ...pushed }
  const before = createHash('sha1').update(commit).digest('hex').padEnd(commit.length, '0')
  if (provider === 'gitlab')
    return { object_kind: 'push', event_name: 'push', before, ...pushed, project: { git_http_url: remote } }
  return { ...pushed, before, deleted: false, repository: { clone_url: remote } }
}
