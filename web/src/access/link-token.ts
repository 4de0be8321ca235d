import { useEffect, useState } from 'react'

/** The token behind `#token=` of a link, which leaves the address bar: nobody shall copy it from there, or go back to it. */
export function useLinkToken(): string | null {
  const [token, setToken] = useState(tokenInAddress)
  useEffect(() => {
    const take = (): void => {
      setToken((before) => tokenInAddress() ?? before)
      history.replaceState(history.state, '', location.pathname)
    }
    take()
    // a link that is put into the address bar of this very page loads nothing
    addEventListener('hashchange', take)
    return () => removeEventListener('hashchange', take)
  }, [])
  return token
}

function tokenInAddress(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get('token')
}
