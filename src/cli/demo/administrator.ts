import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from './wait.ts'

export interface Administrator {
  name: string
  password: string
}

/** Makes the first administrator as a person would: with the link that the server keeps in its state directory. */
export async function makeAdministrator(url: string, stateDir: string): Promise<Administrator> {
  const administrator = { name: 'admin', password: randomBytes(12).toString('base64url') }
  const token = await until('the set-up link is there', async () => {
    const link = await readFile(join(stateDir, 'setup-link'), 'utf8').catch(() => '')
    return link.trim().split('#token=')[1] ?? null
  })
  const response = await post(`${url}/api/v1/setup`, { token, ...administrator })
  if (response.status !== 204)
    throw new Error(`making an administrator was answered ${response.status}: ${await response.text()}`)
  return administrator
}

/** Signs in as a browser does, and gives the role that the server then says one has; null when that did not work. */
export async function signIn(url: string, administrator: Administrator): Promise<string | null> {
  const signedIn = await post(`${url}/api/v1/session`, administrator)
  const cookie = signedIn.headers.getSetCookie().map((set) => set.split(';', 1)[0] ?? '')
  const response = await fetch(`${url}/api/v1/session`, { headers: { cookie: cookie.join('; ') } })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the route's schema says so
  return ((await response.json()) as { role: string | null }).role
}

/** The page that a browser gets first. */
export async function fetchDashboard(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { headers: { accept: 'text/html' } })
  return { status: response.status, text: await response.text() }
}

async function post(url: string, body: object): Promise<Response> {
  return await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}
