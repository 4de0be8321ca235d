import { type QueryClient, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { redirect, useRouter } from '@tanstack/react-router'
import { type Answer, call } from '../api/client.ts'
import { read } from '../api/queries.ts'

export type Session = Answer<'getSession'>

const session = read('getSession', {})

/** Who looks at the page, which the shell has read before anything in it is shown. */
export function useSession(): Session {
  return useSuspenseQuery(session).data
}

/** Leads to the sign-in, and from there back, whoever may not see pages. */
export async function requireReader(client: QueryClient, from: string): Promise<void> {
  const { role } = await client.ensureQueryData({ ...session, revalidateIfStale: true })
  // oxlint-disable-next-line typescript/only-throw-error -- how the router is told
  if (role === null) throw redirect({ to: '/sign-in', search: from === '/' ? {} : { from } })
}

/** Goes on as somebody else: nothing of what was read before stays. */
export function useBecome(): (to: string) => Promise<void> {
  const client = useQueryClient()
  const router = useRouter()
  return async (to) => {
    await client.cancelQueries()
    client.clear()
    router.history.push(to)
    await router.invalidate()
  }
}

export function useSignOut(): () => Promise<void> {
  const become = useBecome()
  return async () => {
    await call('signOut', {})
    await become('/sign-in')
  }
}

/** A path of ours, whatever stands in the address: `//host` and `https:` lead elsewhere. */
export function localPath(from: unknown): string {
  return typeof from === 'string' && /^\/(?![/\\])/.test(from) ? from : '/'
}
