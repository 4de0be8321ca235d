import type { Role } from '../../src/store/api-tokens.ts'
import { changeAs } from '../../src/store/audit.ts'
import { addUser, type UserRow } from '../../src/store/users.ts'
import { hashPassword } from '../../src/server/people/passwords.ts'
import type { ApiReply, TestServer } from './test-server.ts'

export const PASSWORD = 'correct horse battery'

/** Adds a user who signs in with PASSWORD. */
export async function addTestUser(server: TestServer, name: string, role: Role): Promise<UserRow> {
  const actor = { kind: 'command', id: null, name: 'a test', role: null, address: null } as const
  const password = await hashPassword(PASSWORD)
  return await changeAs(server.database.db, actor, (transaction) =>
    addUser(transaction, { name, displayName: '', role, password }),
  )
}

/** A browser's requests to the API: it keeps the cookie that it is given, and says where they come from. */
export function createTestBrowser(server: TestServer, headers: Record<string, string> = {}) {
  let cookie = ''
  return {
    cookie: () => cookie,
    async api(
      method: string,
      path: string,
      body?: object,
      more: Record<string, string> = {},
    ): Promise<ApiReply> {
      const reply = await server.api(method, path, {
        token: null,
        ...(body !== undefined && { body }),
        headers: { 'sec-fetch-site': 'same-origin', ...(cookie !== '' && { cookie }), ...headers, ...more },
      })
      for (const set of reply.headers.getSetCookie()) cookie = set.split(';', 1)[0] ?? ''
      return reply
    },
    async signIn(name: string, password = PASSWORD): Promise<ApiReply> {
      return await this.api('POST', '/session', { name, password })
    },
  }
}
export type TestBrowser = ReturnType<typeof createTestBrowser>

/** A browser in which this user is signed in. */
export async function signedIn(server: TestServer, name: string): Promise<TestBrowser> {
  const browser = createTestBrowser(server)
  const { status } = await browser.signIn(name)
  if (status !== 204) throw new Error(`signing in as ${name} was answered ${status}`)
  return browser
}
