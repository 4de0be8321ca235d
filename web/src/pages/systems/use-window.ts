import { type RefObject, useLayoutEffect, useState } from 'react'
import { flushSync } from 'react-dom'

/** Rows beyond either edge, for what one scrolls before the page is drawn anew. */
const BEYOND = 6

/** Which rows of a list exist: those in sight of its box and some around them. All rows have one height, in pixels. */
export function useWindow(
  box: RefObject<HTMLElement | null>,
  count: number,
  height: number,
): { first: number; end: number } {
  const [inSight, setInSight] = useState({ first: 0, end: Math.ceil(window.innerHeight / height) })
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    const look = (): void => {
      const { scrollTop, clientHeight } = element
      const first = Math.floor(scrollTop / height)
      const end = Math.ceil((scrollTop + clientHeight) / height)
      setInSight((before) => (before.first === first && before.end === end ? before : { first, end }))
    }
    // in the same frame: rows that come later leave a gap
    const scrolled = (): void => flushSync(look)
    const sizes = new ResizeObserver(look)
    look()
    sizes.observe(element)
    element.addEventListener('scroll', scrolled, { passive: true })
    return () => {
      sizes.disconnect()
      element.removeEventListener('scroll', scrolled)
    }
  }, [box, height])
  const end = Math.min(inSight.end + BEYOND, count)
  return { first: Math.max(Math.min(inSight.first - BEYOND, end), 0), end }
}
