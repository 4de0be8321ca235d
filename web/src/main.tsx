import './styles/base.css'
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { noteTouches } from './api/attended.ts'
import { ApiProblem } from './api/client.ts'
import { mayPass, read, READ_AGAIN_MS } from './api/queries.ts'
import { createLive } from './live/live.ts'
import { createPages } from './router.tsx'
import { applyTheme, chosenTheme } from './shell/theme.ts'

applyTheme(chosenTheme())
noteTouches()

/** The session has ended, or its role is another: who the reader is decides on what is shown. */
function onError(error: Error): void {
  if (error instanceof ApiProblem && [401, 403].includes(error.status)) void readSessionAgain()
}
const client = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: { staleTime: READ_AGAIN_MS, retry: mayPass, refetchOnWindowFocus: true },
  },
})
async function readSessionAgain(): Promise<void> {
  await client.invalidateQueries({ queryKey: ['getSession'] })
  await router.invalidate()
}
const router = createPages({ client, live: createLive(client, () => void readSessionAgain()) })
// on their way while the page is drawn for the first time: who looks at it, and what it is made of
void client.prefetchQuery(read('getSession', {}))
for (const { routeId } of router.matchRoutes(router.latestLocation)) {
  const route = router.routesById[routeId]
  if (route !== undefined) void router.loadRouteChunk(route)
}

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
)
