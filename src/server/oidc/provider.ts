import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  clockSkew,
  clockTolerance,
  type Configuration,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client'
import type { Clock } from '../../lib/clock.ts'
import type { Secret } from '../../lib/secret.ts'
import { groupsOf, type RoleGroups } from './groups.ts'

export interface OidcSettings {
  issuer: string
  clientId: string
  /** Null: a public client. */
  clientSecret: Secret | null
  /** What people know the provider as. */
  name: string
  scopes: readonly string[]
  groupsClaim: string
  roleGroups: RoleGroups
  /** Where the provider sends people back to. */
  redirectUri: string
}

/** What of a sign-in is kept here while the person is at the provider. */
export interface Attempt {
  state: string
  nonce: string
  codeVerifier: string
}

/** Who signed in, by what the provider has signed. */
export interface Identity {
  issuer: string
  /** Stays the same for the same person, whatever their name becomes. */
  subject: string
  name: string
  displayName: string
  groups: string[]
}

export interface OidcProvider {
  settings: OidcSettings
  /** Where to send a person who wants to sign in. Throws when the provider cannot be reached. */
  begin: () => Promise<{ url: URL; attempt: Attempt }>
  /** Takes what the provider sent the person back with. Throws when it is not the answer to this attempt. */
  finish: (query: string, attempt: Attempt) => Promise<Identity>
}

/** The clocks of server and provider may differ by so much. */
const SKEW_SECS = 60
const TIMEOUT_SECS = 10
/** What a provider says of itself changes with its upgrades; its keys are asked for anew when an unknown one has signed. */
const DISCOVERED_FOR_MS = 3_600_000

/** Sign-in by the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636, RFC 9207). */
export function createOidcProvider(settings: OidcSettings, clock: Clock): OidcProvider {
  let discovered: { configuration: Promise<Configuration>; at: number } | null = null

  const discover = (): Promise<Configuration> => {
    if (discovered !== null && clock() - discovered.at < DISCOVERED_FOR_MS) return discovered.configuration
    const mine = { configuration: discoverProvider(settings, clock), at: clock() }
    discovered = mine
    // one that could not be reached is asked again
    mine.configuration.catch(() => {
      if (discovered === mine) discovered = null
    })
    return mine.configuration
  }

  return {
    settings,
    begin: async () => {
      const configuration = await discover()
      const attempt = { state: randomState(), nonce: randomNonce(), codeVerifier: randomPKCECodeVerifier() }
      const url = buildAuthorizationUrl(configuration, {
        redirect_uri: settings.redirectUri,
        scope: settings.scopes.join(' '),
        response_type: 'code',
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await calculatePKCECodeChallenge(attempt.codeVerifier),
        code_challenge_method: 'S256',
      })
      return { url, attempt }
    },
    finish: async (query, attempt) => {
      const configuration = await discover()
      const answer = new URL(settings.redirectUri)
      answer.search = query
      const tokens = await authorizationCodeGrant(configuration, answer, {
        expectedState: attempt.state,
        expectedNonce: attempt.nonce,
        pkceCodeVerifier: attempt.codeVerifier,
        idTokenExpected: true,
      })
      const claims = tokens.claims()
      if (claims === undefined) throw new Error('the provider sent no ID token')
      const all = await withUserInfo(configuration, settings, claims, tokens.access_token)
      return {
        issuer: claims.iss,
        subject: claims.sub,
        name: nameOf(all),
        displayName: typeof all['name'] === 'string' ? all['name'] : '',
        groups: groupsOf(all[settings.groupsClaim]),
      }
    },
  }
}

async function discoverProvider(settings: OidcSettings, clock: Clock): Promise<Configuration> {
  const issuer = new URL(settings.issuer)
  const secret = settings.clientSecret?.reveal()
  const configuration = await discovery(
    issuer,
    settings.clientId,
    { [clockTolerance]: SKEW_SECS, [clockSkew]: Math.round((clock() - Date.now()) / 1000) },
    secret === undefined ? None() : secretAuthentication(secret),
    {
      timeout: TIMEOUT_SECS,
      execute: [
        // signatures of ID tokens are checked, which the library else leaves to TLS
        enableNonRepudiationChecks,
        // the configuration takes http only for a provider on this machine
        ...(issuer.protocol === 'http:' ? [allowInsecureRequests] : []),
      ],
    },
  )
  configuration.timeout = TIMEOUT_SECS
  return configuration
}

/** In the header, as clients do unless they were registered otherwise; in the body for a provider that takes only that. */
function secretAuthentication(secret: string): ClientAuth {
  const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)]
  return (server, ...rest) => {
    const taken = server.token_endpoint_auth_methods_supported
    const onlyPost = taken?.includes('client_secret_post') === true && !taken.includes('client_secret_basic')
    return (onlyPost ? post : basic)(server, ...rest)
  }
}

type Claims = Readonly<Record<string, unknown>>

/** Some providers give groups only at the userinfo endpoint. */
async function withUserInfo(
  configuration: Configuration,
  { groupsClaim }: OidcSettings,
  claims: Claims & { sub: string },
  accessToken: string,
): Promise<Claims> {
  if (claims[groupsClaim] !== undefined) return claims
  if (configuration.serverMetadata().userinfo_endpoint === undefined) return claims
  return { ...(await fetchUserInfo(configuration, accessToken, claims.sub)), ...claims }
}

/** For people to read: who somebody is says the subject. */
function nameOf(claims: Claims): string {
  const names = [claims['preferred_username'], claims['name'], claims['sub']]
  return names.find((name) => typeof name === 'string' && name.trim() !== '')?.toString() ?? 'unnamed'
}
