import { timingSafeEqual, webcrypto } from 'node:crypto'
import type { Config } from '../../lib/config/load.ts'
import { Secret } from '../../lib/secret.ts'
import { type FlakeIdentity, flakeKey, identifyFlake } from '../../store/flakes.ts'
import { type Credential, sha256 } from './credentials.ts'

/** The secrets of the configuration that sign webhooks. */
export interface WebhookSecrets {
  /** For flakes that have none of their own. */
  shared: readonly Secret[]
  own: readonly { url: string; branch: string | null; secrets: readonly Secret[] }[]
}

/** One secret in use, once, however often it is configured. */
export interface KnownSecret {
  isShared: boolean
  /** `flakeKey` of the flakes whose own it is. */
  flakes: ReadonlySet<string>
}

/** Which secrets there are, and which flakes they speak for. */
export interface SecretBook {
  isEmpty: boolean
  /** Those that made the credential, over these bytes. Every secret is tried, each in the same time. */
  match: (credential: Credential, signed: Buffer) => Promise<KnownSecret[]>
  /** Whether one of these secrets speaks for a flake: its own where it has any, else the shared ones. */
  speaksFor: (secrets: readonly KnownSecret[], flake: FlakeIdentity) => boolean
}

/** A secret of GitLab's that signs, and is never sent itself. */
const SIGNING_PREFIX = 'whsec_'

/** A file holds one secret, or several, each on a line, while one replaces another. */
export function webhookSecretsOf(config: Pick<Config, 'server' | 'flakes'>): WebhookSecrets {
  return {
    shared: config.server.webhook_secrets.flatMap(secretsIn),
    own: config.flakes.flatMap(({ url, branch, webhook_secret: secret }) =>
      secret === null ? [] : [{ url, branch, secrets: secretsIn(secret) }],
    ),
  }
}

function secretsIn(file: Secret): Secret[] {
  const lines = file.reveal().split('\n')
  return lines.map((line) => line.trim()).flatMap((line) => (line === '' ? [] : [new Secret(line)]))
}

export function createSecretBook({ shared, own }: WebhookSecrets): SecretBook {
  const known = new Map<string, { isShared: boolean; flakes: Set<string> }>()
  const add = (secret: Secret) => {
    const text = secret.reveal()
    const entry = known.get(text) ?? { isShared: false, flakes: new Set<string>() }
    known.set(text, entry)
    return entry
  }
  for (const secret of shared) add(secret).isShared = true
  const withOwn = new Set<string>()
  for (const { url, branch, secrets } of own) {
    const identity = flakeKey(identifyFlake({ url, branch }))
    withOwn.add(identity)
    for (const secret of secrets) add(secret).flakes.add(identity)
  }

  return {
    isEmpty: known.size === 0,
    async match(credential, signed) {
      const matches: KnownSecret[] = []
      for (const [text, secret] of known) if (await isMadeBy(text, credential, signed)) matches.push(secret)
      return matches
    },
    speaksFor(secrets, flake) {
      const identity = flakeKey(flake)
      return secrets.some((secret) => (withOwn.has(identity) ? secret.flakes.has(identity) : secret.isShared))
    },
  }
}

async function isMadeBy(secret: string, credential: Credential, signed: Buffer): Promise<boolean> {
  const isSigning = secret.startsWith(SIGNING_PREFIX)
  if (credential.kind === 'token')
    return timingSafeEqual(sha256(Buffer.from(secret)), credential.digest) && !isSigning
  if (credential.kind === 'hmac')
    return timingSafeEqual(await hmac(Buffer.from(secret), signed), credential.digest)
  const key = isSigning ? Buffer.from(secret.slice(SIGNING_PREFIX.length), 'base64') : Buffer.alloc(0)
  if (key.length === 0) return false
  const expected = await hmac(key, Buffer.concat([Buffer.from(credential.signedHead, 'latin1'), signed]))
  return credential.digests.filter((digest) => timingSafeEqual(expected, digest)).length > 0
}

/** In a thread of its own: 25 MiB for each of some secrets would hold up every other request. */
async function hmac(key: Buffer, bytes: Buffer): Promise<Buffer> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await webcrypto.subtle.importKey('raw', key, algorithm, false, ['sign'])
  return Buffer.from(await webcrypto.subtle.sign('HMAC', imported, bytes))
}
