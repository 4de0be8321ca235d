import type { Commit, ListedCommit } from '../server/routes/commits.ts'
import type { Evaluation, ListedEvaluation } from '../server/routes/evaluations.ts'
import type { Flake, NewFlake } from '../server/routes/flakes.ts'
import type { Wire } from './api.ts'
import type { ApiClient } from './api-client.ts'
import { type Page, takePages } from './pages.ts'

export type ApiFlake = Wire<Flake>
export type ApiListedCommit = Wire<ListedCommit>
export type ApiCommit = Wire<Commit>
export type ApiListedEvaluation = Wire<ListedEvaluation>
export type ApiEvaluation = Wire<Evaluation>

/** The filters of `GET /evaluations`, as text: the server says which values there are. */
export interface EvaluationFilter {
  flake?: number
  commit?: string
  configuration?: string
  status?: string
}

export interface Requests {
  client: ApiClient
  get: <T>(path: string, expect: (keyof T & string)[], query?: object) => Promise<T>
  post: <T>(path: string, expect: (keyof T & string)[], body?: unknown) => Promise<T>
}

type Again = 'none' | 'failed' | 'all'

/** The operations on flakes, commits and evaluations, one function each. */
export function createEvaluationApi({ client, get, post }: Requests) {
  return {
    listFlakes: () => get<{ flakes: ApiFlake[] }>('/flakes', ['flakes']),
    getFlake: (id: number) => get<ApiFlake>(`/flakes/${id}`, ['id', 'url', 'synced_at']),
    addFlake: (flake: NewFlake) => post<{ id: number }>('/flakes', ['id'], flake),
    archiveFlake: (id: number) => client.request('DELETE', `/flakes/${id}`),
    /** The flake as it is before Git is asked. */
    syncFlake: (id: number) => post<ApiFlake>(`/flakes/${id}/sync`, ['id', 'url', 'synced_at']),
    /** The newest commits of the branch. */
    listCommits: (flakeId: number, limit: number) =>
      takePages(limit, async (page) => {
        const path = `/flakes/${flakeId}/commits`
        const { commits, next } = await get<Page<'commits', ApiListedCommit>>(path, ['commits', 'next'], page)
        return { rows: commits, next }
      }),
    getCommit: (sha: string, flake: number | undefined) =>
      get<ApiCommit>(`/commits/${encodeURIComponent(sha)}`, ['sha', 'status'], { flake }),
    evaluateCommit: (sha: string, flake: number | undefined, again: Again) =>
      post<{ sha: string; flake_id: number }>(
        `/commits/${encodeURIComponent(sha)}/evaluate${flake === undefined ? '' : `?flake=${flake}`}`,
        ['sha', 'flake_id'],
        { again },
      ),
    listEvaluations: (filter: EvaluationFilter, limit: number) =>
      takePages(limit, async (page) => {
        const query = { ...filter, ...page }
        const { evaluations, next } = await get<Page<'evaluations', ApiListedEvaluation>>(
          '/evaluations',
          ['evaluations', 'next'],
          query,
        )
        return { rows: evaluations, next }
      }),
    getEvaluation: (id: number) =>
      get<ApiEvaluation>(`/evaluations/${id}`, ['id', 'configuration', 'status']),
    retryEvaluation: (id: number) =>
      post<{ flake_id: number; sha: string; configuration: string }>(`/evaluations/${id}/retry`, [
        'sha',
        'configuration',
      ]),
  }
}
