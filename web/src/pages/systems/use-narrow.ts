import { useSyncExternalStore } from 'react'

/** As in the styles of the page. */
const narrow = matchMedia('(max-width: 40rem)')

/** Whether there is no room for columns beside one another. */
export function useNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => narrow.matches)
}

function subscribe(listener: () => void): () => void {
  narrow.addEventListener('change', listener)
  return () => narrow.removeEventListener('change', listener)
}
