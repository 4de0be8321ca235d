import type { User } from '../server/api/people.ts'
import type { NewUser, PasswordLink, UserChange } from '../server/routes/users.ts'
import type { Wire } from './api.ts'
import type { Requests } from './evaluation-api.ts'

export type ApiUser = Wire<User>
export type ApiPasswordLink = Wire<PasswordLink>

/** The operations on the people who sign in, one function each. */
export function createPeopleApi({ client, get, post }: Requests) {
  const listUsers = () => get<{ users: ApiUser[] }>('/users', ['users'])
  return {
    listUsers,
    /** By the name, in any case of letters. Throws when there is none. */
    async findUser(name: string): Promise<ApiUser> {
      const { users } = await listUsers()
      const found = users.find((user) => user.name.toLowerCase() === name.toLowerCase())
      if (found === undefined) throw new Error(`there is no user ${name}: \`users list\` shows who is there`)
      return found
    },
    addUser: (user: NewUser) =>
      post<{ user: ApiUser; password_link: ApiPasswordLink }>('/users', ['user', 'password_link'], user),
    changeUser: (id: number, change: UserChange) => client.request('PATCH', `/users/${id}`, { body: change }),
    removeUser: (id: number) => client.request('DELETE', `/users/${id}`),
    createPasswordLink: (id: number) =>
      post<ApiPasswordLink>(`/users/${id}/password-link`, ['link', 'expires_at']),
  }
}
