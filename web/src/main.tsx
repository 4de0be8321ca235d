import './styles/base.css'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { mayPass } from './api/queries.ts'
import { createLive } from './live/live.ts'
import { createPages } from './router.tsx'
import { applyTheme, chosenTheme } from './shell/theme.ts'

applyTheme(chosenTheme())

const client = new QueryClient({
  defaultOptions: {
    // events say when something changed (live/); a minute bounds what a missed one can cost
    queries: { staleTime: 60_000, retry: mayPass, refetchOnWindowFocus: true },
  },
})
const router = createPages({ client, live: createLive(client) })
const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
)
