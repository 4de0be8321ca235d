import { useRouter } from '@tanstack/react-router'
import type { MouseEvent, PointerEvent } from 'react'

/**
 * For the links of all rows, of which each as a Link of the router would cost a scrolling list too much. What the reader
 * opens elsewhere (a new tab, a download) is left to the browser.
 */
export function useSystemLinks() {
  const router = useRouter()
  return {
    onClick: (event: MouseEvent): void => {
      const { button, metaKey, ctrlKey, shiftKey, altKey } = event
      if (event.defaultPrevented || button !== 0 || metaKey || ctrlKey || shiftKey || altKey) return
      const link = linkOf(event)
      if (link === null) return
      event.preventDefault()
      router.history.push(link.pathname)
    },
    /** Whoever points at a link may follow it: the page it leads to is loaded. */
    onPointerOver: (event: PointerEvent): void => {
      const system = router.routesByPath['/systems/$hostname']
      if (linkOf(event) !== null && system !== undefined) void router.loadRouteChunk(system)
    },
  }
}

function linkOf({ target }: MouseEvent | PointerEvent): HTMLAnchorElement | null {
  return target instanceof Element ? target.closest('a') : null
}
