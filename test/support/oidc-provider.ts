import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { generateKeyPairSync } from 'node:crypto'
import { Provider } from 'oidc-provider'

/** Who signs in at the provider, and what it says of them. */
export interface Account {
  sub: string
  preferred_username?: string
  name?: string
  email?: string
  groups?: unknown
}

export interface TestOidcProvider {
  issuer: string
  clientId: string
  clientSecret: string
  /** Who is before the screen: the next sign-in is theirs, without a question. Null refuses. */
  account: Account | null
  close: () => Promise<void>
}

/** A real OpenID Connect provider (npm's oidc-provider) on a port of its own, whose people sign in without being asked. */
export async function startOidcProvider(options: {
  redirectUri: string
  /** Give claims in the ID token, or only at the userinfo endpoint. */
  claimsIn?: 'id_token' | 'userinfo'
  /** Seconds for which its ID tokens are valid. */
  validSecs?: number
  /** Publishes another key than it signs with. */
  publishesOtherKey?: boolean
  port?: number
}): Promise<TestOidcProvider> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const address = server.address()
  const issuer = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const [clientId, clientSecret] = ['crystal-forge', 'a secret/with:signs that=need+escapes']
  const key = newJwk()
  const provider = new Provider(issuer, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [options.redirectUri] }],
    jwks: { keys: [key] },
    ttl: {
      IdToken: options.validSecs ?? 3600,
      AccessToken: 60,
      AuthorizationCode: 60,
      Grant: 600,
      Interaction: 600,
      Session: 600,
    },
    cookies: { keys: ['a test'] },
    pkce: { required: () => true },
    claims: { openid: ['sub'], profile: ['preferred_username', 'name', 'groups'], email: ['email'] },
    conformIdTokenClaims: options.claimsIn === 'userinfo',
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, sub) => ({ accountId: sub, claims: async () => ({ ...accounts.get(sub), sub }) }),
    // nobody is asked whether the client may know who they are
    loadExistingGrant: async (context) => {
      const { client, session, provider: self } = context.oidc
      const grant = new self.Grant({ clientId: client?.clientId, accountId: session?.accountId })
      grant.addOIDCScope('openid profile email')
      await grant.save()
      return grant
    },
  })
  const accounts = new Map<string, Account>()
  const callback = provider.callback()
  const running: TestOidcProvider = { issuer, clientId, clientSecret, account: null, close: async () => {} }

  const signIn = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { account } = running
    if (account !== null) accounts.set(account.sub, account)
    const result =
      account === null
        ? { error: 'access_denied', error_description: 'nobody is there <script>' }
        : { login: { accountId: account.sub } }
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
  }
  server.on('request', (request, response) => {
    if (options.publishesOtherKey === true && request.url === '/jwks') {
      const { kty, kid, use, alg, n, e } = newJwk()
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ keys: [{ kty, kid, use, alg, n, e }] }))
      return
    }
    const done = request.url?.startsWith('/interaction/')
      ? signIn(request, response)
      : callback(request, response)
    Promise.resolve(done).catch(() => response.destroy())
  })
  running.close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return running
}

function newJwk() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    ...privateKey.export({ format: 'jwk' }),
    kty: 'RSA',
    kid: 'test',
    use: 'sig',
    alg: 'RS256',
  } as const
}
