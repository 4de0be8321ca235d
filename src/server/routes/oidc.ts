import { randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AuthorizationResponseError, ResponseBodyError } from 'openid-client'
import { keepOidcLogin, OIDC_LOGIN_SECS, type OidcLogin, takeOidcLogin } from '../../store/oidc-logins.ts'
import { signInByOidc, signOutByOidc } from '../../store/oidc-users.ts'
import type { ServerContext } from '../context.ts'
import type { CountSignIn } from '../metrics.ts'
import { createFailureLimit } from '../ingest/failure-limit.ts'
import { roleOf } from '../oidc/groups.ts'
import { sendSignInProblem } from '../oidc/problem-page.ts'
import type { Identity, OidcProvider } from '../oidc/provider.ts'
import { localPath } from '../oidc/return-path.ts'
import { setSessionCookie } from '../people/cookie.ts'

/** `GET /auth/oidc/start?return=/path` sends a person to the provider, which sends them back to `/auth/oidc/callback`. */
export function oidcRoutes(
  app: FastifyInstance,
  context: ServerContext,
  { provider, countSignIn }: { provider: OidcProvider; countSignIn: CountSignIn },
): void {
  const { db, log, settings } = context
  const { name, roleGroups, redirectUri } = provider.settings
  const cookie = browserCookie(redirectUri.startsWith('https:'))
  const starts = createFailureLimit(context.clock)

  app.addHook('onSend', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
  })

  app.get<{ Querystring: { return?: unknown } }>('/auth/oidc/start', async (request, reply) => {
    try {
      // each keeps a row for some minutes
      starts.count(request.ip)
    } catch {
      return sendSignInProblem(reply, {
        status: 429,
        title: 'Too many sign-ins',
        text: ['Too many were begun from your address. Wait a minute, then try again.'],
      })
    }
    const { return: wanted } = request.query
    const browser = cookie.read(request) ?? randomBytes(32).toString('base64url')
    let begun
    try {
      begun = await provider.begin()
    } catch (err) {
      log.warn({ err, issuer: provider.settings.issuer }, 'the OpenID Connect provider cannot be used')
      return sendSignInProblem(reply, {
        status: 503,
        title: `${name} cannot be reached`,
        text: [
          'The provider that signs people in does not answer, or not as it should. The log of the server says why.',
          'Try again in a moment. Signing in with a password works all the same.',
        ],
      })
    }
    const returnTo = localPath(typeof wanted === 'string' ? wanted : undefined)
    await keepOidcLogin(db, browser, { ...begun.attempt, returnTo })
    return cookie.write(reply, browser).redirect(begun.url.href, 303)
  })

  app.get('/auth/oidc/callback', async (request, reply) => {
    const login = await takeLogin(request)
    if (login === null)
      return sendSignInProblem(reply, {
        status: 400,
        title: 'This sign-in cannot be finished',
        text: [
          `It was begun in another browser, is finished already, or took longer than ${OIDC_LOGIN_SECS / 60} minutes.`,
          'Begin it again.',
        ],
      })
    let identity
    try {
      identity = await provider.finish(queryOf(request), login)
    } catch (error) {
      return refuseAnswer(reply, error)
    }
    return letIn(request, reply, identity, login)
  })

  const takeLogin = async (request: FastifyRequest): Promise<OidcLogin | null> => {
    const states = new URLSearchParams(queryOf(request)).getAll('state')
    const browser = cookie.read(request)
    const [state] = states
    return state === undefined || states.length > 1 || browser === undefined
      ? null
      : takeOidcLogin(db, browser, state)
  }

  const refuseAnswer = (reply: FastifyReply, error: unknown): FastifyReply => {
    const said =
      error instanceof AuthorizationResponseError || error instanceof ResponseBodyError
        ? { error: error.error, description: error.error_description }
        : null
    countSignIn('failed')
    log.warn({ err: error, said }, 'a sign-in with the OpenID Connect provider failed')
    if (error instanceof AuthorizationResponseError)
      return sendSignInProblem(reply, {
        status: 403,
        title: `${name} did not sign you in`,
        text: [`It says: ${error.error_description ?? error.error}`],
      })
    return sendSignInProblem(reply, {
      status: 502,
      title: 'The sign-in failed',
      text: [
        `What ${name} answered cannot be used, or it does not answer. The log of the server says why.`,
        'Begin again. Signing in with a password works all the same.',
      ],
    })
  }

  const letIn = async (
    request: FastifyRequest,
    reply: FastifyReply,
    identity: Identity,
    login: OidcLogin,
  ): Promise<FastifyReply> => {
    const given = roleOf(identity.groups, roleGroups)
    const person = { ...identity, address: request.ip }
    const facts = { name: identity.name, subject: identity.subject, groups: identity.groups }
    if (given === null) {
      log.info(facts, 'a person is in no group that gives a role')
      await signOutByOidc(db, person)
      countSignIn('refused')
      return sendSignInProblem(reply, {
        status: 403,
        title: 'You are in no group that may use Crystal Forge',
        text: [
          `${name} says that you are ${identity.name}, in ${groupsText(identity.groups)}.`,
          'Whoever runs this server says in its configuration which groups may use it.',
        ],
      })
    }
    log.info(
      { ...facts, role: given.role, by: given.group },
      'a person signed in with the OpenID Connect provider',
    )
    const outcome = await signInByOidc(db, { ...person, role: given.role })
    if (outcome.result === 'disabled') {
      countSignIn('refused')
      return sendSignInProblem(reply, {
        status: 403,
        title: 'This user is disabled',
        text: ['An admin has shut this user out of Crystal Forge.'],
      })
    }
    countSignIn('succeeded')
    setSessionCookie(request, reply, settings, outcome)
    return reply.redirect(login.returnTo, 303)
  }
}

function groupsText(groups: readonly string[]): string {
  if (groups.length === 0) return 'no group'
  return groups.length === 1 ? `the group ${groups[0]}` : `the groups ${groups.join(', ')}`
}

/** With its question mark, or empty. */
function queryOf(request: FastifyRequest): string {
  const start = request.url.indexOf('?')
  return start === -1 ? '' : request.url.slice(start)
}

/** Ties a sign-in to the browser that began it. The prefix keeps other hosts of the domain from setting it. */
function browserCookie(secure: boolean) {
  const name = secure ? '__Host-crystal_forge_oidc' : 'crystal_forge_oidc'
  return {
    read: ({ cookies }: FastifyRequest): string | undefined => {
      const value = cookies[name]
      return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined
    },
    write: (reply: FastifyReply, value: string): FastifyReply =>
      // lax: the provider sends the person back from another site
      reply.setCookie(name, value, {
        path: '/',
        httpOnly: true,
        sameSite: 'lax',
        secure,
        maxAge: OIDC_LOGIN_SECS,
      }),
  }
}
