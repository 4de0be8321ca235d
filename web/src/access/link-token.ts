import { useEffect, useState } from 'react'

/** The token behind `#token=` of a link, which leaves the address bar: nobody shall copy it from there, or go back to it. */
export function useLinkToken(): string | null {
  const [token] = useState(() => new URLSearchParams(location.hash.slice(1)).get('token'))
  useEffect(() => history.replaceState(history.state, '', location.pathname), [])
  return token
}
