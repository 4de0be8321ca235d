import type { QueryClient } from '@tanstack/react-query'
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from '@tanstack/react-router'
import { localPath, requireReader } from './access/session.ts'
import { read } from './api/queries.ts'
import type { Live } from './live/live.ts'
import { keySearch } from './pages/enrolment/search.ts'
import { evaluationsSearch } from './pages/evaluations/search.ts'
import { firstHostSearch } from './pages/first-host/search.ts'
import { auditSearch } from './pages/settings/audit-search.ts'
import { systemSearch } from './pages/system/search.ts'
import { systemsSearch } from './pages/systems/search.ts'
import { systemPages } from './pages/systems/use-systems.ts'
import { Broken } from './shell/Broken.tsx'
import { NotFound } from './shell/NotFound.tsx'
import { Shell } from './shell/Shell.tsx'

interface Shared {
  client: QueryClient
  live: Live
}

const root = createRootRouteWithContext<Shared>()({ component: Outlet })
const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  beforeLoad: async ({ context, location }) => await requireReader(context.client, location.href),
  component: function ShellRoute() {
    return <Shell live={shell.useRouteContext().live} />
  },
})

const inShell = () => shell
const pages = shell.addChildren([
  createRoute({
    getParentRoute: inShell,
    path: '/',
    // what is shown first is asked for while the page itself is still on its way
    loader: ({ context }) => void context.client.prefetchQuery(read('getFleetSummary', {})),
    component: lazyRouteComponent(() => import('./pages/overview/Overview.tsx'), 'Overview'),
  }),
  createRoute({
    getParentRoute: inShell,
    path: '/systems',
    validateSearch: systemsSearch,
    loaderDeps: ({ search }) => search,
    loader: ({ context, deps }) => {
      // the page itself says why it cannot be read
      context.client.ensureInfiniteQueryData(systemPages(deps)).catch(() => undefined)
    },
    component: lazyRouteComponent(() => import('./pages/systems/Systems.tsx'), 'Systems'),
  }),
  createRoute({
    getParentRoute: inShell,
    path: '/systems/$hostname',
    validateSearch: systemSearch,
    component: lazyRouteComponent(() => import('./pages/system/System.tsx'), 'System'),
  }),
  createRoute({
    getParentRoute: inShell,
    path: '/reports/$digest',
    component: lazyRouteComponent(() => import('./pages/report/Report.tsx'), 'Report'),
  }),
  createRoute({
    getParentRoute: inShell,
    path: '/flakes',
    component: lazyRouteComponent(() => import('./pages/flakes/Flakes.tsx'), 'Flakes'),
  }),
  createRoute({
    getParentRoute: inShell,
    path: '/flakes/$id',
    component: lazyRouteComponent(() => import('./pages/flakes/Flake.tsx'), 'Flake'),
  }),
  createRoute({
    getParentRoute: inShell,
    path: '/flakes/$id/commits/$sha',
    component: lazyRouteComponent(() => import('./pages/commit/Commit.tsx'), 'Commit'),
  }),
  createRoute({
    getParentRoute: inShell,
    path: '/evaluations',
    validateSearch: evaluationsSearch,
    component: lazyRouteComponent(() => import('./pages/evaluations/Evaluations.tsx'), 'Evaluations'),
  }),
  createRoute({
    getParentRoute: inShell,
    path: '/evaluations/$id',
    component: lazyRouteComponent(() => import('./pages/evaluations/Evaluation.tsx'), 'Evaluation'),
  }),
  createRoute({
    getParentRoute: inShell,
    path: '/enrolment',
    validateSearch: keySearch,
    component: lazyRouteComponent(() => import('./pages/enrolment/Enrolment.tsx'), 'Enrolment'),
  }),
  createRoute({
    getParentRoute: inShell,
    path: '/first-host',
    validateSearch: firstHostSearch,
    component: lazyRouteComponent(() => import('./pages/first-host/FirstHost.tsx'), 'FirstHost'),
  }),
  createRoute({
    getParentRoute: inShell,
    path: '/settings',
    component: lazyRouteComponent(() => import('./pages/settings/Settings.tsx'), 'Settings'),
  }),
  createRoute({
    getParentRoute: inShell,
    path: '/settings/audit',
    validateSearch: auditSearch,
    component: lazyRouteComponent(() => import('./pages/settings/Audit.tsx'), 'Audit'),
  }),
  createRoute({
    getParentRoute: inShell,
    path: '/settings/$section',
    component: lazyRouteComponent(() => import('./pages/settings/Settings.tsx'), 'Settings'),
  }),
  createRoute({ getParentRoute: inShell, path: '$', component: NotFound }),
])
const access = [
  createRoute({
    getParentRoute: () => root,
    path: '/sign-in',
    validateSearch: ({ from }: Record<string, unknown>): { from?: string } =>
      localPath(from) === '/' ? {} : { from: localPath(from) },
    component: lazyRouteComponent(() => import('./access/SignIn.tsx'), 'SignIn'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/setup',
    component: lazyRouteComponent(() => import('./access/SetUp.tsx'), 'SetUp'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/set-password',
    component: lazyRouteComponent(() => import('./access/SetPassword.tsx'), 'SetPassword'),
  }),
] as const
const routeTree = root.addChildren([pages, ...access])

export function createPages(context: Shared) {
  const router = createRouter({
    routeTree,
    context,
    defaultPreload: 'intent',
    defaultErrorComponent: Broken,
    scrollRestoration: true,
    // nothing of one system or commit stays on the page of another
    defaultRemountDeps: ({ params }) => params,
    // what a page does not know stays out of what it reads
    search: { strict: true },
  })
  router.subscribe('onRendered', ({ fromLocation, pathChanged }) => {
    // who came by a link hears where they are; who loads the page starts at its top, and who types by now goes on
    if (fromLocation !== undefined && pathChanged && !isTyping())
      document.querySelector('h1')?.focus({ preventScroll: true })
  })
  return router
}

function isTyping(): boolean {
  const { activeElement: field } = document
  return field instanceof HTMLInputElement && field.value !== ''
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createPages>
  }
}
