import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../protocol/problems.ts'
import { recordDelivery } from '../../store/webhook-deliveries.ts'
import type { ServerContext } from '../context.ts'
import type { FailureLimit } from '../ingest/failure-limit.ts'
import { bodyOf, checkHead } from '../ingest/request-head.ts'
import { type IgnoredReason, readAnnouncement } from '../webhooks/announcement.ts'
import { findConcernedFlakes } from '../webhooks/concerned-flakes.ts'
import { type Credential, readCredential } from '../webhooks/credentials.ts'
import { type BodyForm, bodyFormOf, parsePayload, payloadIn } from '../webhooks/payload.ts'
import { type Provider, PROVIDERS, readHeaders, recogniseProvider } from '../webhooks/providers.ts'
import { createSecretBook, type KnownSecret } from '../webhooks/secrets.ts'
import { createTurns } from '../webhooks/turns.ts'

/** What GitHub sends at most: https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap */
const BODY_LIMIT = 25 * 1024 * 1024
/** 200 MiB of bodies at once; waiting is over before the 30 s that a request has to arrive in. */
const TURNS = { atOnce: 8, waiting: 500, waitMs: 10_000 }

interface Head {
  provider: Provider
  event: string
  delivery: string | null
  credential: Credential
  form: BodyForm
}

interface WebhookReply {
  outcome: 'accepted' | 'ignored'
  reason: IgnoredReason | null
  flake_ids: number[]
}

/**
 * `POST /webhook` and `/webhook/<provider>`: a push happened, or so the sender says. It is only a hint: the flakes' remotes
 * are asked what is true.
 */
export function webhookRoutes(
  app: FastifyInstance,
  context: ServerContext,
  { limit }: { limit: FailureLimit },
): void {
  const { db, clock, log, jobs, settings } = context
  const book = createSecretBook(settings.webhookSecrets)
  const turns = createTurns(TURNS)
  /** Read once, as they arrived: a turn and a body may take until the time of the signature is too old. */
  const heads = new WeakMap<FastifyRequest, Head>()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  const readHead = (request: FastifyRequest, named: Provider | null): Head => {
    const provider = named ?? recogniseProvider(request.headers)
    if (provider === null)
      throw new Problem('malformed', `no header says whose webhook this is: ${PROVIDERS.join(', ')}`)
    const { event, delivery } = readHeaders(provider, request.headers)
    if (event === null && provider !== 'generic')
      throw new Problem('malformed', `this is no webhook of ${provider}: no header names its event`)
    if (delivery !== null && !/^[\u0021-\u007e]{1,200}$/.test(delivery))
      throw new Problem('malformed', 'the id of the delivery has to be at most 200 letters of ASCII')
    return {
      provider,
      event: event ?? 'push',
      delivery,
      credential: readCredential(provider, request.headers, clock()),
      form: bodyFormOf(request.headers['content-type']),
    }
  }

  const authenticate = async ({ credential, form }: Head, body: Buffer): Promise<KnownSecret[]> => {
    const signed = credential.kind === 'hmac' && credential.ofPayload ? payloadIn(body, form) : body
    const secrets = await book.match(credential, signed)
    if (secrets.length === 0)
      throw new Problem('bad-signature', 'no secret of this server made this signature')
    return secrets
  }

  const handle = async (head: Head, body: Buffer): Promise<WebhookReply> => {
    const { provider, event, delivery, form } = head
    const secrets = await authenticate(head, body)
    const announcement = readAnnouncement(provider, event, parsePayload(payloadIn(body, form)))
    const { flakes, ignored } = await findConcernedFlakes(db, announcement, secrets, book)
    const flakeIds = flakes.map(({ id }) => id)
    const { ref, after, repositories } = announcement
    const entry = { provider, delivery, event, ref, after, repository: repositories[0] ?? null }
    const { repeated } = await recordDelivery(db, { ...entry, ignored, flakeIds }, async () => {
      for (const id of flakeIds) await jobs.syncFlake(id)
    })
    const reason = repeated ? 'repeated' : ignored
    // what else the sender says is in the table, cut to size
    const facts = { provider, delivery, repository: entry.repository, reason, flakeIds }
    log.info(facts, reason === null ? 'a push was announced' : 'ignored a webhook')
    return reason === null
      ? { outcome: 'accepted', reason, flake_ids: flakeIds }
      : { outcome: 'ignored', reason, flake_ids: [] }
  }

  /** Runs a part of the handling; a refusal for lack of a secret is logged, and counted against the address. */
  const guarded = async <T>(request: FastifyRequest, act: () => T | Promise<T>): Promise<T> => {
    try {
      return await act()
    } catch (error) {
      if (error instanceof Problem && isFailedAuthentication(error)) {
        limit.count(request.ip)
        log.info({ address: request.ip, path: request.url, problem: error.problem }, 'refused a webhook')
      }
      throw error
    }
  }

  const serve = (path: string, provider: Provider | null): void => {
    app.post(
      path,
      {
        bodyLimit: BODY_LIMIT,
        onRequest: async (request, reply) => {
          checkHead(request)
          if (book.isEmpty)
            throw new Problem(
              'forbidden',
              'this server has no webhook secret, without which it takes no webhooks',
            )
          heads.set(request, await guarded(request, () => readHead(request, provider)))
          await waitForTurn(request, reply)
        },
      },
      async (request, reply) => {
        const head = heads.get(request)
        if (head === undefined) throw new Error('a webhook came without its head')
        const answer = await guarded(request, () => handle(head, bodyOf(request)))
        return reply.code(answer.outcome === 'accepted' ? 202 : 200).send(answer)
      },
    )
  }
  /** Before the body is read. The turn ends with the answer, or when the sender has gone. */
  const waitForTurn = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const turn = turns.ask(request.ip)
    reply.raw.once('close', turn.end)
    await turn.hasCome
  }
  serve('/webhook', null)
  for (const provider of PROVIDERS) serve(`/webhook/${provider}`, provider)
}

function isFailedAuthentication({ problem }: Problem): boolean {
  return ['unsigned', 'stale-signature', 'bad-signature'].includes(problem)
}
