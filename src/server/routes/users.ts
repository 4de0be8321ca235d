import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { Problem } from '../../protocol/problems.ts'
import { changeAs } from '../../store/audit.ts'
import { createPasswordToken, endPasswordLink } from '../../store/one-time-links.ts'
import { endSessions } from '../../store/sessions.ts'
import {
  addUser,
  changeUser,
  findUser,
  holdPassword,
  listUsers,
  removeUser,
  setPassword,
  type UserRow,
} from '../../store/users.ts'
import { actorOf } from '../api/actor.ts'
import type { Authorise } from '../api/authorise.ts'
import {
  DisplayName,
  NewPassword,
  orConflict,
  refuseName,
  RoleName,
  TriedPassword,
  UserName,
  UserSchema,
} from '../api/people.ts'
import { idOf, problemResponses, Time } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'
import { hashPassword } from '../people/passwords.ts'
import { tryPassword } from '../people/sign-in.ts'
import { passwordLink } from '../people/set-up-link.ts'

const NewUser = Type.Object(
  {
    name: UserName,
    display_name: Type.Optional(DisplayName),
    role: RoleName,
    password: Type.Optional(NewPassword),
  },
  { additionalProperties: false },
)
export type NewUser = Static<typeof NewUser>
const Change = Type.Object(
  {
    display_name: Type.Optional(DisplayName),
    role: Type.Optional(RoleName),
    disabled: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false, minProperties: 1 },
)
export type UserChange = Static<typeof Change>
const OwnPassword = Type.Object(
  { current: TriedPassword, password: NewPassword },
  { additionalProperties: false },
)
const Link = Type.Object({
  link: Type.String({ description: 'Where the user chooses a password; shown this once' }),
  expires_at: Time,
})
export type PasswordLink = Static<typeof Link>
const params = Type.Object({ id: idOf('The id of a user') })
type ById = { Params: { id: number } }

/** The people who sign in. */
export function userRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  const { db, settings } = context
  const admin = authorise('admin')
  const linkFor = async (request: FastifyRequest, user: UserRow): Promise<PasswordLink> => {
    const { token, expiresAt } = await changeAs(db, actorOf(request), (transaction) =>
      createPasswordToken(transaction, user),
    )
    const url = settings.publicUrl ?? `${request.protocol}://${request.host}`
    return { link: passwordLink(url, token), expires_at: expiresAt }
  }

  app.get(
    '/users',
    {
      onRequest: admin,
      schema: {
        operationId: 'listUsers',
        summary: 'The people who sign in, in the order of their names',
        response: { 200: Type.Object({ users: Type.Array(UserSchema) }), ...problemResponses },
      },
    },
    async () => ({ users: await listUsers(db) }),
  )

  app.post<{ Body: NewUser }>(
    '/users',
    {
      onRequest: admin,
      schema: {
        operationId: 'addUser',
        summary: 'Adds somebody; without a password the answer has a link with which one is chosen',
        body: NewUser,
        response: {
          201: Type.Object({ user: UserSchema, password_link: Type.Optional(Link) }),
          ...problemResponses,
        },
      },
    },
    async (request, reply) => {
      const { name, display_name: displayName = '', role, password } = request.body
      if (password !== undefined) refuseName(password, name)
      const hash = password === undefined ? null : await hashPassword(password)
      const user = await orConflict(() =>
        changeAs(db, actorOf(request), (transaction) =>
          addUser(transaction, { name, displayName, role, password: hash }),
        ),
      )
      return reply
        .code(201)
        .send({ user, ...(hash === null && { password_link: await linkFor(request, user) }) })
    },
  )

  app.get<ById>(
    '/users/:id',
    {
      onRequest: admin,
      schema: {
        operationId: 'getUser',
        summary: 'One of the people who sign in',
        params,
        response: { 200: UserSchema, ...problemResponses },
      },
    },
    async ({ params: { id } }) => (await findUser(db, id)) ?? noUser(id),
  )

  app.patch<ById & { Body: UserChange }>(
    '/users/:id',
    {
      onRequest: admin,
      schema: {
        operationId: 'changeUser',
        summary: 'Changes what a user may do, at once; the sessions of one who is disabled end',
        params,
        body: Change,
        response: { 200: UserSchema, ...problemResponses },
      },
    },
    async (request) => {
      const { id } = request.params
      if (request.body.role !== undefined && (await findUser(db, id))?.signs_in_by === 'oidc')
        throw new Problem('conflict', 'the role of this user comes from the groups at the OpenID provider')
      const changed = await orConflict(() =>
        changeAs(db, actorOf(request), (transaction) => changeUser(transaction, id, request.body)),
      )
      return changed ?? noUser(id)
    },
  )

  app.delete<ById>(
    '/users/:id',
    {
      onRequest: admin,
      schema: {
        operationId: 'removeUser',
        summary: 'Removes a user and ends all sessions; what the user did stays in the audit trail',
        params,
        response: { 204: Type.Null({ description: 'Done' }), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const removed = await orConflict(() =>
        changeAs(db, actorOf(request), (transaction) => removeUser(transaction, id)),
      )
      if (!removed) noUser(id)
      return reply.code(204).send()
    },
  )

  app.post<ById>(
    '/users/:id/password-link',
    {
      onRequest: admin,
      schema: {
        operationId: 'createPasswordLink',
        summary: 'Makes a link with which a user chooses a password; one made before does not work any more',
        params,
        response: { 201: Link, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const user = (await findUser(db, id)) ?? noUser(id)
      refuseOidc(user)
      return reply.code(201).send(await linkFor(request, user))
    },
  )

  app.delete<ById>(
    '/users/:id/sessions',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'endSessions',
        summary: 'Signs a user out everywhere: oneself, or for an admin anybody',
        params,
        response: { 204: Type.Null({ description: 'Done' }), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const { caller } = request
      const isSelf = caller?.kind === 'user' && caller.id === id
      if (!isSelf && caller?.role !== 'admin')
        throw new Problem('forbidden', 'only an admin signs somebody else out')
      if ((await findUser(db, id)) === null) noUser(id)
      await changeAs(db, actorOf(request), (transaction) => endSessions(transaction, { userId: id }))
      return reply.code(204).send()
    },
  )

  app.put<{ Body: Static<typeof OwnPassword> }>(
    '/users/me/password',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'changeOwnPassword',
        summary: 'Changes the password of who is signed in; all other sessions end',
        body: OwnPassword,
        response: { 204: Type.Null({ description: 'Done' }), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { caller } = request
      if (caller?.session === undefined)
        throw new Problem('forbidden', 'only somebody who is signed in has a password')
      const { id, name, session } = caller
      refuseOidc({ name, signs_in_by: session.signsInBy })
      const { current, password } = request.body
      refuseName(password, name)
      // slowed down like a sign-in: a session that somebody found open must not become a password
      const tried = await tryPassword(db, { name, password: current, address: request.ip })
      if (tried === null) throw notRight()
      const hash = await hashPassword(password)
      await changeAs(db, actorOf(request), async (transaction) => {
        if (!(await holdPassword(transaction, tried.user))) throw notRight()
        await endPasswordLink(transaction, id)
        await setPassword(transaction, { id, name }, hash, { record: true })
        await endSessions(transaction, { userId: id, except: session.id })
      })
      return reply.code(204).send()
    },
  )
}

function refuseOidc({ name, signs_in_by: by }: Pick<UserRow, 'name' | 'signs_in_by'>): void {
  if (by === 'oidc')
    throw new Problem('conflict', `${name} signs in with the OpenID provider, and has no password here`)
}

function notRight(): Problem {
  return new Problem('forbidden', 'the current password is not right')
}

function noUser(id: number): never {
  throw new Problem('not-found', `there is no user ${id}`)
}
