import { type RefObject, useLayoutEffect, useRef, useState } from 'react'
import { flushSync } from 'react-dom'

/** Rows beyond either edge, for what one scrolls before the page is drawn anew. */
const BEYOND = 6

/**
 * Which rows of a list exist: those in sight of its box and some around them. All rows have one height, in pixels; another
 * list begins at its top.
 */
export function useWindow(
  box: RefObject<HTMLElement | null>,
  list: string,
  count: number,
  height: number,
): { first: number; end: number } {
  const [seen, setSeen] = useState({ list, first: 0, end: Math.ceil(window.innerHeight / height) })
  const shown = useRef(list)
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    const look = (): void => {
      const { scrollTop, clientHeight } = element
      const first = Math.floor(scrollTop / height)
      const end = Math.ceil((scrollTop + clientHeight) / height)
      setSeen((before) =>
        before.list === list && before.first === first && before.end === end ? before : { list, first, end },
      )
    }
    // in the same frame: rows that come later leave a gap
    const scrolled = (): void => flushSync(look)
    const sizes = new ResizeObserver(look)
    if (shown.current !== list) element.scrollTo(0, 0)
    shown.current = list
    look()
    sizes.observe(element)
    element.addEventListener('scroll', scrolled, { passive: true })
    return () => {
      sizes.disconnect()
      element.removeEventListener('scroll', scrolled)
    }
  }, [box, list, height])
  const top = seen.list === list ? seen.first : 0
  const end = Math.min(top + (seen.end - seen.first) + BEYOND, count)
  return { first: Math.max(Math.min(top - BEYOND, end), 0), end }
}
