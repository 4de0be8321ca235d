import type { ServerConfig } from '../../lib/config/load.ts'
import { keepNewSetUpLink, passwordLink } from '../../server/people/set-up-link.ts'
import { changeAs } from '../../store/audit.ts'
import { createPasswordToken } from '../../store/one-time-links.ts'
import { listUsers } from '../../store/users.ts'
import { commandActor } from '../command-actor.ts'
import { withDatabase } from '../database.ts'
import type { ApiPasswordLink } from '../people-api.ts'

/** A new link for the first administrator, which the server's own file has too. Throws when there are users. */
export async function createSetUpLinkInDatabase(): Promise<string> {
  return withDatabase('users', async (db, { server }) => {
    const users = await listUsers(db)
    if (users.length > 0)
      throw new Error(
        `there are users already (${adminsText(users)}): let an admin add others, or make a new link for one with ` +
          '`crystal-forge users password-link NAME --database`',
      )
    return await keepNewSetUpLink({ db, stateDir: server.state_dir, url: addressOf(server) })
  })
}

/** A link with which the user of this name chooses a password. Throws when that would let nobody in. */
export async function createPasswordLinkInDatabase(name: string): Promise<ApiPasswordLink> {
  return withDatabase('users', async (db, { server }) => {
    const users = await listUsers(db)
    const user = users.find((each) => each.name.toLowerCase() === name.toLowerCase())
    if (user === undefined)
      throw new Error(
        users.length === 0
          ? 'there is no user yet: `crystal-forge users setup-link` makes the link for the first'
          : `there is no user ${name}; ${adminsText(users)}`,
      )
    if (user.disabled) throw new Error(`${user.name} is disabled: ${adminsText(users)}`)
    if (user.signs_in_by === 'oidc')
      throw new Error(
        `${user.name} signs in with the OpenID provider, and has no password here; without it, make an admin with a ` +
          'password by a token of `crystal-forge tokens create --database --role admin`',
      )
    const { token, expiresAt } = await changeAs(db, commandActor(), (transaction) =>
      createPasswordToken(transaction, user),
    )
    return { link: passwordLink(addressOf(server), token), expires_at: expiresAt.toISOString() }
  })
}

function adminsText(users: Awaited<ReturnType<typeof listUsers>>): string {
  const names = users.filter(({ role, disabled }) => role === 'admin' && !disabled).map((user) => user.name)
  if (names.length === 0)
    return 'none is an admin who may sign in: a token of `crystal-forge tokens create --database --role admin` makes one'
  return `${names.length === 1 ? 'the only admin is' : 'admins are'} ${names.join(', ')}`
}

/** Where browsers reach the server, as far as its configuration says. */
function addressOf({ public_url: url, host, port, tls_cert_file: cert }: ServerConfig): string {
  if (url !== null) return url
  return `${cert === null ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
