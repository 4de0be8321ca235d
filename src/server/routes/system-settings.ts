import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { HOSTNAME_PATTERN } from '../../protocol/hostname.ts'
import { Problem } from '../../protocol/problems.ts'
import { STORE_PATH_PATTERN } from '../../protocol/store-path.ts'
import { changeAs } from '../../store/audit.ts'
import { addKey } from '../../store/keys.ts'
import { addSystem, changeSystem } from '../../store/systems.ts'
import { actorOf } from '../api/actor.ts'
import type { Authorise } from '../api/authorise.ts'
import { checkFlakeUrl } from '../api/flake-url.ts'
import { readKeys } from '../api/keys.ts'
import { orNull, problemResponses } from '../api/schemas.ts'
import { requireChangeable } from '../api/system.ts'
import type { ServerContext } from '../context.ts'

const NewSystem = Type.Object(
  {
    hostname: Type.String({ pattern: HOSTNAME_PATTERN }),
    environment: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    flake_url: Type.Optional(Type.String({ minLength: 1, maxLength: 2048 })),
    configuration: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    pinned_path: Type.Optional(Type.String({ pattern: STORE_PATH_PATTERN })),
    public_keys: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 16 })),
  },
  { additionalProperties: false },
)
export type NewSystem = Static<typeof NewSystem>

const SystemChanges = Type.Object(
  {
    environment: Type.Optional(orNull<string>({ type: 'string', minLength: 1, maxLength: 256 })),
    flake_url: Type.Optional(orNull<string>({ type: 'string', minLength: 1, maxLength: 2048 })),
    configuration: Type.Optional(orNull<string>({ type: 'string', minLength: 1, maxLength: 256 })),
    pinned_path: Type.Optional(orNull<string>({ type: 'string', pattern: STORE_PATH_PATTERN })),
  },
  { additionalProperties: false, minProperties: 1, description: 'Null takes a setting away' },
)
export type SystemChanges = Static<typeof SystemChanges>

/** Registering systems, and what they have to run. */
export function systemSettingsRoutes(
  app: FastifyInstance,
  context: ServerContext,
  authorise: Authorise,
): void {
  app.post<{ Body: NewSystem }>(
    '/systems',
    {
      onRequest: authorise('operator'),
      schema: {
        operationId: 'addSystem',
        summary: 'Registers a system, with its public keys if it has any yet',
        body: NewSystem,
        response: { 201: Type.Object({ hostname: Type.String() }), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { body } = request
      checkFlakeUrl(body.flake_url, '/body/flake_url', request.caller)
      const keys = readKeys(body.public_keys ?? [])
      await changeAs(context.db, actorOf(request), async (transaction) => {
        const systemId = await addSystem(
          transaction,
          {
            hostname: body.hostname,
            environment: body.environment ?? null,
            flakeUrl: body.flake_url ?? null,
            configuration: body.configuration ?? null,
            pinnedPath: body.pinned_path ?? null,
          },
          false,
        )
        if (systemId === null) throw new Problem('conflict', `there is a system ${body.hostname} already`)
        for (const key of keys) {
          const outcome = await addKey(transaction, { ...key, systemId, declared: false })
          if (outcome !== 'added')
            throw new Problem('conflict', `the key ${key.id} belongs to another system`)
        }
      })
      return reply.code(201).send({ hostname: body.hostname })
    },
  )

  app.patch<{ Params: { hostname: string }; Body: SystemChanges }>(
    '/systems/:hostname',
    {
      onRequest: authorise('operator'),
      schema: {
        operationId: 'changeSystem',
        summary: 'Changes what is said of a system; what is not given stays',
        params: Type.Object({ hostname: Type.String() }),
        body: SystemChanges,
        response: { 204: Type.Null({ description: 'Done' }), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { environment, flake_url: flakeUrl, configuration, pinned_path: pinnedPath } = request.body
      checkFlakeUrl(flakeUrl, '/body/flake_url', request.caller)
      const system = await requireChangeable(context, request.params.hostname)
      const changes = { environment, flakeUrl, configuration, pinnedPath }
      await changeAs(context.db, actorOf(request), (transaction) =>
        changeSystem(transaction, system.id, changes),
      )
      return reply.code(204).send()
    },
  )
}
