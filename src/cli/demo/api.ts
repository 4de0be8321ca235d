import { Secret } from '../../lib/secret.ts'
import { type Api, createApi } from '../api.ts'
import { createApiClient } from '../api-client.ts'

/** The API as every command has it, and the ids of a system's newest reports. */
export type DemoApi = Api & { reportIds: (hostname: string) => Promise<string[]> }

export function createDemoApi({ url, token }: { url: string; token: string }): DemoApi {
  const client = createApiClient({ url: new URL(url), token: new Secret(token) })
  return {
    ...createApi(client),
    async reportIds(hostname) {
      const answer = await client.request('GET', `/systems/${hostname}/reports`, {
        query: { limit: 1000 },
        expect: ['reports'],
      })
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the route's schema says so
      return (answer as { reports: { id: string }[] }).reports.map((report) => report.id)
    },
  }
}
