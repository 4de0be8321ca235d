import type { AuditEntry } from '../server/routes/audit.ts'
import type { ApiToken, NewApiToken } from '../server/routes/tokens.ts'
import type { EnrollToken, NewEnrollToken } from '../server/routes/enroll-tokens.ts'
import type { Attention } from '../server/routes/attention.ts'
import type { Summary } from '../server/routes/fleet.ts'
import type { Job } from '../server/routes/jobs.ts'
import type { Key } from '../server/routes/keys.ts'
import type { NewSystem, SystemChanges } from '../server/routes/system-settings.ts'
import type { ListedSystem, System } from '../server/routes/systems.ts'
import type { ApiClient } from './api-client.ts'
import { createEvaluationApi } from './evaluation-api.ts'
import { UsageError } from './exit.ts'
import { type Page, takePages } from './pages.ts'
import { createPeopleApi } from './people-api.ts'

/** What JSON makes of a value: dates are ISO 8601 text. */
export type Wire<T> = T extends Date
  ? string
  : T extends readonly (infer Element)[]
    ? Wire<Element>[]
    : T extends object
      ? { [Member in keyof T]: Wire<T[Member]> }
      : T

export type ApiListedSystem = Wire<ListedSystem>
export type ApiSystem = Wire<System>
export type ApiSummary = Wire<Summary>
export type ApiJob = Wire<Job>
export type ApiKey = Wire<Key>
export type ApiEnrollToken = Wire<EnrollToken>
export type ApiApiToken = Wire<ApiToken>
export type ApiAuditEntry = Wire<AuditEntry>
export type CreatedToken = { id: number; token: string }

/** The filters of `GET /systems`, as text: the server says which values there are. */
export interface SystemFilter {
  liveness?: string
  drift?: string
  standing?: string
  flake?: string
  flag?: string
  environment?: string
  registration?: string
  text?: string
}

/** The filters of `GET /audit`, as text. */
export interface AuditFilter {
  actor?: string
  action?: string
  subject?: string
}

/** The operations of /api/v1, one function each. They throw what `ApiClient.request` throws. */
export type Api = ReturnType<typeof createApi>

/** The most the server gives at once. */
const PAGE_SIZE = 1000

export function createApi(client: ApiClient) {
  /** The compiler takes the type of an answer from the routes; that server and CLI fit, only their versions say. */
  const get = async <T>(path: string, expect: (keyof T & string)[], query = {}): Promise<T> => {
    const answer = await client.request('GET', path, { expect, query })
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    return answer as T
  }
  const post = async <T>(path: string, expect: (keyof T & string)[], body?: unknown): Promise<T> => {
    const answer = await client.request('POST', path, { expect, body })
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    return answer as T
  }
  const listSystems = (query: SystemFilter & { sort?: string; limit?: number; after?: string }) =>
    get<SystemPage>('/systems', ['systems', 'total', 'next'], query)

  return {
    url: client.url,
    serverTime: client.serverTime,
    getSummary: () =>
      get<ApiSummary>('/fleet/summary', ['systems', 'liveness', 'standing', 'flags', 'pending_keys']),
    /** What needs somebody, the worst first; of each kind at most `each` items. */
    getAttention: (each: number) =>
      get<Wire<Attention>>('/fleet/attention', ['items', 'kinds'], { each, limit: PAGE_SIZE }),
    /** One page. */
    listSystems,
    /** All pages. */
    async listAllSystems(filter: SystemFilter & { sort?: string }): Promise<ApiListedSystem[]> {
      const systems: ApiListedSystem[] = []
      for (let after: string | null | undefined; after !== null;) {
        const page = await listSystems({ ...filter, limit: PAGE_SIZE, ...(after !== undefined && { after }) })
        systems.push(...page.systems)
        after = page.next
      }
      return systems
    },
    /** All that do not stand in sync, the worst first: they come before the others. */
    async listOutOfSync(): Promise<ApiListedSystem[]> {
      const systems: ApiListedSystem[] = []
      for (let after: string | null | undefined; after !== null;) {
        const query = { sort: 'drift', limit: PAGE_SIZE, ...(after !== undefined && { after }) }
        const page = await listSystems(query)
        const found = page.systems.filter(({ drift }) => drift?.standing !== 'in_sync')
        systems.push(...found)
        after = found.length < page.systems.length ? null : page.next
      }
      return systems
    },
    getSystem: (hostname: string) =>
      get<ApiSystem>(systemPath(hostname), ['hostname', 'liveness', 'drift', 'flags']),
    addSystem: (system: NewSystem) => post<{ hostname: string }>('/systems', ['hostname'], system),
    changeSystem: (hostname: string, changes: SystemChanges) =>
      client.request('PATCH', systemPath(hostname), { body: changes }),
    approveKeys: (hostname: string, keyId: string | undefined) =>
      post<{ approved: string[] }>(
        `${systemPath(hostname)}/approve`,
        ['approved'],
        keyId === undefined ? {} : { key_id: keyId },
      ),
    setArchived: (hostname: string, archived: boolean) =>
      client.request(archived ? 'PUT' : 'DELETE', `${systemPath(hostname)}/archived`),
    acknowledgeFlag: (hostname: string, flag: string) =>
      client.request('DELETE', `${systemPath(hostname)}/flags/${segment(flag)}`),
    listSystemKeys: (hostname: string) => get<{ keys: ApiKey[] }>(`${systemPath(hostname)}/keys`, ['keys']),
    addSystemKey: (hostname: string, publicKey: string) =>
      post<{ key_id: string }>(`${systemPath(hostname)}/keys`, ['key_id'], { public_key: publicKey }),
    revokeSystemKey: (hostname: string, keyId: string) =>
      client.request('DELETE', `${systemPath(hostname)}/keys/${segment(keyId)}`),
    listKeys: (status: string) => get<{ keys: ApiKey[] }>('/keys', ['keys'], { status }),
    listEnrollTokens: () => get<{ enroll_tokens: ApiEnrollToken[] }>('/enroll-tokens', ['enroll_tokens']),
    createEnrollToken: (token: NewEnrollToken) =>
      post<CreatedToken>('/enroll-tokens', ['id', 'token'], token),
    revokeEnrollToken: (id: number) => client.request('DELETE', `/enroll-tokens/${id}`),
    listJobs: () => get<{ jobs: ApiJob[] }>('/jobs', ['jobs']),
    listTokens: () => get<{ tokens: ApiApiToken[] }>('/tokens', ['tokens']),
    createToken: (token: NewApiToken) => post<CreatedToken>('/tokens', ['id', 'token'], token),
    revokeToken: (id: number) => client.request('DELETE', `/tokens/${id}`),
    listAudit: (filter: AuditFilter, limit: number) =>
      takePages(limit, async (page) => {
        const query = { ...filter, ...page }
        const { records, next } = await get<Page<'records', ApiAuditEntry>>(
          '/audit',
          ['records', 'next'],
          query,
        )
        return { rows: records, next }
      }),
    ...createEvaluationApi({ client, get, post }),
    ...createPeopleApi({ client, get, post }),
  }
}

interface SystemPage {
  systems: ApiListedSystem[]
  total: number
  next: string | null
}

const systemPath = (hostname: string): string => `/systems/${segment(hostname)}`

/** One segment of a path. A URL takes `.` and `..` for steps, escaped or not: they would name another resource. */
function segment(text: string): string {
  if (['', '.', '..'].includes(text)) throw new UsageError(`"${text}" cannot be a name`)
  return encodeURIComponent(text)
}
