import { useRouter } from '@tanstack/react-router'
import type { MouseEvent } from 'react'

/**
 * For the links of all rows, of which each as a Link of the router would cost a scrolling list too much. What the reader
 * opens elsewhere (a new tab, a download) is left to the browser.
 */
export function useSystemLinks() {
  const router = useRouter()
  return {
    onClick: (event: MouseEvent): void => {
      const { target, button, metaKey, ctrlKey, shiftKey, altKey } = event
      if (event.defaultPrevented || button !== 0 || metaKey || ctrlKey || shiftKey || altKey) return
      const link = target instanceof Element ? target.closest('a') : null
      if (link === null) return
      event.preventDefault()
      router.history.push(link.pathname)
    },
    /** Whoever points at a row may follow its link. */
    onPointerOver: (): void => {
      const system = router.routesByPath['/systems/$hostname']
      if (system !== undefined) void router.loadRouteChunk(system)
    },
  }
}
