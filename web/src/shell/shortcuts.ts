import { useEffect, useRef } from 'react'

const STORED = 'keys'

/** Single keys can be turned off: who speaks to the computer presses some by chance (WCAG 2.2, 2.1.4). */
export function areKeysOn(): boolean {
  return localStorage.getItem(STORED) !== 'off'
}

export function turnKeys(on: boolean): void {
  if (on) localStorage.removeItem(STORED)
  else localStorage.setItem(STORED, 'off')
}

/** Calls `act` at a key, unless somebody is writing, or something is open over the page. */
export function useShortcut(key: string, act: () => void): void {
  const latest = useRef(act)
  useEffect(() => {
    latest.current = act
  })
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.key !== key || event.ctrlKey || event.metaKey || event.altKey || !areKeysOn()) return
      if (isWriting(event.target) || document.querySelector('dialog[open]') !== null) return
      event.preventDefault()
      latest.current()
    }
    document.addEventListener('keydown', listen)
    return () => document.removeEventListener('keydown', listen)
  }, [key])
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  )
}
