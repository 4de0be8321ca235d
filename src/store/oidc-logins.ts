import { type Kysely, sql } from 'kysely'
import type { DB } from './schema.generated.ts'
import { hashToken } from './tokens.ts'

/** A sign-in while the person is at the OpenID Connect provider. */
export interface OidcLogin {
  state: string
  nonce: string
  codeVerifier: string
  /** The local path to go on to. */
  returnTo: string
}

/** Time a person has at the provider. */
export const OIDC_LOGIN_SECS = 600

/** Keeps a sign-in that the browser with this cookie has begun, and forgets those that took too long. */
export async function keepOidcLogin(db: Kysely<DB>, browser: string, login: OidcLogin): Promise<void> {
  await sql`
    with expired as (delete from oidc_logins where expires_at < now())
    insert into oidc_logins (state_hash, browser_hash, nonce, code_verifier, return_to, expires_at)
    values (${hashToken(login.state)}, ${hashToken(browser)}, ${login.nonce}, ${login.codeVerifier}, ${login.returnTo},
            now() + make_interval(secs => ${OIDC_LOGIN_SECS}))`.execute(db)
}

/** Takes the sign-in of this state, once; null when this browser began none such, or too long ago. */
export async function takeOidcLogin(
  db: Kysely<DB>,
  browser: string,
  state: string,
): Promise<OidcLogin | null> {
  const row = await db
    .deleteFrom('oidc_logins')
    .where('state_hash', '=', hashToken(state))
    .where('browser_hash', '=', hashToken(browser))
    .where('expires_at', '>', sql<Date>`now()`)
    .returning(['nonce', 'code_verifier as codeVerifier', 'return_to as returnTo'])
    .executeTakeFirst()
  return row === undefined ? null : { state, ...row }
}
