import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { type Flag, FLAGS, STICKY_FLAGS } from '../../fleet/flags.ts'
import { Problem } from '../../protocol/problems.ts'
import { changeAs } from '../../store/audit.ts'
import { approveKeys } from '../../store/enrollments.ts'
import { acknowledgeFlag } from '../../store/flags.ts'
import { addKey, listKeys, revokeKey } from '../../store/keys.ts'
import { setArchived } from '../../store/systems.ts'
import { actorOf } from '../api/actor.ts'
import type { Authorise } from '../api/authorise.ts'
import { readKey } from '../api/keys.ts'
import { KeyList } from './keys.ts'
import { oneOf, problemResponses } from '../api/schemas.ts'
import { requireChangeable, requireSystem } from '../api/system.ts'
import type { ServerContext } from '../context.ts'

const Hostname = Type.Object({ hostname: Type.String() })
const Approval = Type.Object(
  { key_id: Type.Optional(Type.String({ maxLength: 64 })) },
  { additionalProperties: false },
)
const NewKey = Type.Object({ public_key: Type.String({ maxLength: 64 }) }, { additionalProperties: false })
const nothing = { 204: Type.Null({ description: 'Done' }), ...problemResponses }

/** What operators do with one system: approve, archive, acknowledge, and its keys. */
export function systemActionRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  const onRequest = authorise('operator')

  app.post<{ Params: { hostname: string }; Body: Static<typeof Approval> | null }>(
    '/systems/:hostname/approve',
    {
      onRequest,
      schema: {
        operationId: 'approveKeys',
        summary: 'Lets the waiting keys of a system report, or one of them',
        params: Hostname,
        body: Type.Union([Approval, Type.Null()]),
        response: { 200: Type.Object({ approved: Type.Array(Type.String()) }), ...problemResponses },
      },
    },
    async (request) => {
      const system = await requireSystem(context, request.params.hostname)
      const approved = await changeAs(context.db, actorOf(request), (transaction) =>
        approveKeys(transaction, system.id, request.body?.key_id),
      )
      if (approved.length === 0)
        throw new Problem('conflict', `no such key of ${system.hostname} waits for approval`)
      return { approved }
    },
  )

  for (const archived of [true, false]) {
    app.route<{ Params: { hostname: string } }>({
      method: archived ? 'PUT' : 'DELETE',
      url: '/systems/:hostname/archived',
      onRequest,
      schema: {
        operationId: archived ? 'archiveSystem' : 'restoreSystem',
        summary: archived
          ? 'Refuses its keys from now on; the evidence stays'
          : 'Brings an archived system back',
        params: Hostname,
        response: nothing,
      },
      handler: async (request, reply) => {
        const system = await requireChangeable(context, request.params.hostname)
        await changeAs(context.db, actorOf(request), (transaction) =>
          setArchived(transaction, system.id, archived),
        )
        return reply.code(204).send()
      },
    })
  }

  app.delete<{ Params: { hostname: string; flag: Flag } }>(
    '/systems/:hostname/flags/:flag',
    {
      onRequest,
      schema: {
        operationId: 'acknowledgeFlag',
        summary: 'Takes a flag down that stays until somebody has looked at it',
        params: Type.Object({
          hostname: Type.String(),
          flag: oneOf(FLAGS),
        }),
        response: nothing,
      },
    },
    async (request, reply) => {
      const { flag } = request.params
      const system = await requireSystem(context, request.params.hostname)
      if (!STICKY_FLAGS.includes(flag))
        throw new Problem('conflict', `${flag} ends by itself when its cause ends; it cannot be acknowledged`)
      const acknowledged = await changeAs(context.db, actorOf(request), (transaction) =>
        acknowledgeFlag(transaction, system.id, flag),
      )
      if (!acknowledged) throw new Problem('not-found', `${system.hostname} does not have the flag ${flag}`)
      return reply.code(204).send()
    },
  )

  app.get<{ Params: { hostname: string } }>(
    '/systems/:hostname/keys',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listSystemKeys',
        summary: 'The keys of a system, revoked ones too',
        params: Hostname,
        response: { 200: KeyList, ...problemResponses },
      },
    },
    async ({ params }) => {
      const system = await requireSystem(context, params.hostname)
      return { keys: await listKeys(context.db, { systemId: system.id }) }
    },
  )

  app.post<{ Params: { hostname: string }; Body: Static<typeof NewKey> }>(
    '/systems/:hostname/keys',
    {
      onRequest,
      schema: {
        operationId: 'addSystemKey',
        summary: 'Gives a system one more key, active at once: the first step of a rotation',
        params: Hostname,
        body: NewKey,
        response: { 201: Type.Object({ key_id: Type.String() }), ...problemResponses },
      },
    },
    async (request, reply) => {
      const system = await requireChangeable(context, request.params.hostname)
      const key = readKey(request.body.public_key, '/body/public_key')
      const outcome = await changeAs(context.db, actorOf(request), (transaction) =>
        addKey(transaction, { ...key, systemId: system.id, declared: false }),
      )
      if (outcome === 'revoked') throw new Problem('conflict', 'the key was revoked and never works again')
      if (outcome === 'of-another-system') throw new Problem('conflict', 'the key belongs to another system')
      return reply.code(201).send({ key_id: key.id })
    },
  )

  app.delete<{ Params: { hostname: string; key: string } }>(
    '/systems/:hostname/keys/:key',
    {
      onRequest,
      schema: {
        operationId: 'revokeSystemKey',
        summary: 'Revokes a key for ever',
        params: Type.Object({ hostname: Type.String(), key: Type.String() }),
        response: nothing,
      },
    },
    async (request, reply) => {
      const { hostname, key } = request.params
      const system = await requireSystem(context, hostname)
      const revoked = await changeAs(context.db, actorOf(request), (transaction) =>
        revokeKey(transaction, system.id, key),
      )
      if (!revoked) throw new Problem('not-found', `${system.hostname} has no key ${key.slice(0, 64)}`)
      return reply.code(204).send()
    },
  )
}
