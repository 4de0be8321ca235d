import type { IncomingHttpHeaders } from 'node:http'

export const PROVIDERS = ['github', 'gitlab', 'gitea', 'forgejo', 'generic'] as const
export type Provider = (typeof PROVIDERS)[number]

/** Headers of one meaning, the one that counts first. */
interface HeaderNames {
  event: readonly string[]
  delivery: readonly string[]
  /** HMAC-SHA-256 of what was sent, in hex. */
  signature: readonly string[]
}

/**
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers
 * https://docs.gitlab.com/user/project/integrations/webhooks/#delivery-headers
 * https://docs.gitea.com/usage/webhooks, https://forgejo.org/docs/latest/user/webhooks/ (before 1.20 it was only Gitea's)
 */
const HEADERS: Record<Provider, HeaderNames> = {
  github: {
    event: ['x-github-event'],
    delivery: ['x-github-delivery'],
    signature: ['x-hub-signature-256'],
  },
  gitlab: {
    event: ['x-gitlab-event'],
    // the first two stay the same when a delivery is retried; GitLab before 17 has only the last
    delivery: ['webhook-id', 'idempotency-key', 'x-gitlab-event-uuid'],
    signature: [],
  },
  gitea: { event: ['x-gitea-event'], delivery: ['x-gitea-delivery'], signature: ['x-gitea-signature'] },
  forgejo: {
    event: ['x-forgejo-event', 'x-gitea-event'],
    delivery: ['x-forgejo-delivery', 'x-gitea-delivery'],
    signature: ['x-forgejo-signature', 'x-gitea-signature'],
  },
  generic: {
    event: [],
    delivery: ['x-crystal-forge-delivery'],
    signature: ['x-crystal-forge-signature-256'],
  },
}

/** Forgejo also sends Gitea's headers, and both send GitHub's. */
const MARKS: readonly (readonly [string, Provider])[] = [
  ['x-forgejo-event', 'forgejo'],
  ['x-gitea-event', 'gitea'],
  ['x-gitlab-event', 'gitlab'],
  ['x-github-event', 'github'],
  ['x-crystal-forge-signature-256', 'generic'],
]

/** Who sent a webhook, by its headers; null when they are nobody's. */
export function recogniseProvider(headers: IncomingHttpHeaders): Provider | null {
  return MARKS.find(([name]) => headers[name] !== undefined)?.[1] ?? null
}

/** What the provider says of the event, its delivery and its signature; null where it says nothing. */
export function readHeaders(provider: Provider, headers: IncomingHttpHeaders) {
  const { event, delivery, signature } = HEADERS[provider]
  return {
    event: firstOf(headers, event),
    delivery: firstOf(headers, delivery),
    signature: firstOf(headers, signature),
  }
}

/** The names of the headers that may carry a provider's signature, for who has to be told. */
export function signatureHeaders(provider: Provider): string {
  return provider === 'gitlab'
    ? 'webhook-signature or X-Gitlab-Token'
    : HEADERS[provider].signature.join(' or ')
}

function firstOf(headers: IncomingHttpHeaders, names: readonly string[]): string | null {
  for (const name of names) {
    const value = headers[name]
    if (value !== undefined && value !== '') return String(value)
  }
  return null
}
