/** As often as the server writes down that a session was used. */
const UNTOUCHED_MS = 5 * 60_000

let touchedAt = Date.now()

/** Notes when somebody does something with the page. */
export function noteTouches(): void {
  for (const kind of ['pointerdown', 'pointermove', 'wheel', 'keydown'])
    window.addEventListener(kind, () => (touchedAt = Date.now()), { capture: true, passive: true })
}

/** Whether the page has been left open for a while: what it reads then, it reads by itself. */
export function isUnattended(): boolean {
  return Date.now() - touchedAt > UNTOUCHED_MS
}
