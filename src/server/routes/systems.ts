import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { FLAGS } from '../../fleet/flags.ts'
import { LIVENESS } from '../../fleet/liveness.ts'
import { HOSTNAME_PATTERN } from '../../protocol/hostname.ts'
import { Problem } from '../../protocol/problems.ts'
import { STORE_PATH_PATTERN } from '../../protocol/store-path.ts'
import { systemDetail } from '../../store/system-detail.ts'
import { listSystems, REGISTRATIONS } from '../../store/system-list.ts'
import { addSystem } from '../../store/systems.ts'
import type { Authorise } from '../api/authorise.ts'
import { readKeys } from '../api/keys.ts'
import {
  AnyJson,
  cutPage,
  DEFAULT_PAGE_SIZE,
  NumberOrNull,
  PageSize,
  problemResponses,
  TextOrNull,
  Time,
  TimeOrNull,
} from '../api/schemas.ts'
import { noSuchSystem } from '../api/system.ts'
import type { ServerContext } from '../context.ts'
import { addKey } from '../../store/keys.ts'

const oneOf = <Name extends string>(names: readonly Name[]) =>
  Type.Unsafe<Name>({ type: 'string', enum: names })

const SystemQuery = Type.Object(
  {
    liveness: Type.Optional(oneOf(LIVENESS)),
    flag: Type.Optional(oneOf(FLAGS)),
    environment: Type.Optional(Type.String({ maxLength: 256 })),
    registration: Type.Optional(oneOf(REGISTRATIONS)),
    text: Type.Optional(Type.String({ maxLength: 253, description: 'Part of the host name' })),
    after: Type.Optional(Type.String({ maxLength: 253, description: '`next` of the page before' })),
    limit: PageSize,
  },
  { additionalProperties: false },
)

const ListedSystem = Type.Object({
  hostname: Type.String(),
  environment: TextOrNull,
  declared: Type.Boolean(),
  registration: oneOf(REGISTRATIONS),
  liveness: oneOf(LIVENESS),
  last_contact: TimeOrNull,
  current_system: TextOrNull,
  nixos_version: TextOrNull,
  flags: Type.Array(oneOf(FLAGS)),
})
export type ListedSystem = Static<typeof ListedSystem>

const System = Type.Object({
  hostname: Type.String(),
  environment: TextOrNull,
  flake_url: TextOrNull,
  configuration: TextOrNull,
  pinned_path: TextOrNull,
  declared: Type.Boolean(),
  created_at: Time,
  archived_at: TimeOrNull,
  registration: oneOf(REGISTRATIONS),
  liveness: oneOf(LIVENESS),
  last_contact: TimeOrNull,
  online_since: TimeOrNull,
  boot_id: TextOrNull,
  booted_at: TimeOrNull,
  interval_secs: Type.Integer(),
  clock_skew_secs: NumberOrNull,
  current_system: TextOrNull,
  protocol: Type.Integer(),
  report_id: TextOrNull,
  observed_at: TimeOrNull,
  received_at: TimeOrNull,
  reported_hostname: TextOrNull,
  system: AnyJson,
  fingerprint: AnyJson,
  flags: Type.Array(Type.Object({ flag: oneOf(FLAGS), since: Time, details: AnyJson })),
})
export type System = Static<typeof System>

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

export function systemRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  const limits = context.settings.liveness

  app.get<{ Querystring: Static<typeof SystemQuery> }>(
    '/systems',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listSystems',
        summary: 'Systems in the order of their names; archived ones only when asked for',
        querystring: SystemQuery,
        response: {
          200: Type.Object({
            systems: Type.Array(ListedSystem),
            total: Type.Integer({ description: 'Of all pages' }),
            next: TextOrNull,
          }),
          ...problemResponses,
        },
      },
    },
    async ({ query: { after = null, limit = DEFAULT_PAGE_SIZE, ...filter } }) => {
      const { rows, total } = await listSystems(context.db, { filter, after, limit: limit + 1, limits })
      const { page, next } = cutPage(rows, limit, ({ hostname }) => hostname)
      return { systems: page, total, next }
    },
  )

  app.get<{ Params: { hostname: string } }>(
    '/systems/:hostname',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'getSystem',
        summary: 'One system with the facts of its newest report and its flags',
        params: Type.Object({ hostname: Type.String() }),
        response: { 200: System, ...problemResponses },
      },
    },
    async ({ params }) =>
      (await systemDetail(context.db, params.hostname, limits)) ??
      Promise.reject(noSuchSystem(params.hostname)),
  )

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
    async ({ body }, reply) => {
      const keys = readKeys(body.public_keys ?? [])
      await context.db.transaction().execute(async (transaction) => {
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
}
