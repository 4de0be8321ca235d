import { Radio, RefreshCw, WifiOff } from 'lucide-react'
import { useEffect, useSyncExternalStore } from 'react'
import type { Live, LiveState } from './live.ts'
import classes from './LiveStatus.module.css'

const SHOWN: Record<LiveState, { icon: typeof Radio; text: string; hint: string }> = {
  connecting: { icon: RefreshCw, text: 'Connecting', hint: 'Waiting for the stream of changes' },
  live: { icon: Radio, text: 'Live', hint: 'Changes appear by themselves' },
  lost: {
    icon: WifiOff,
    text: 'Offline',
    hint: 'The connection to the server is lost; what you see may be old. It is tried again by itself.',
  },
}

/** Follows the server while somebody looks, and says whether that works. */
export function LiveStatus({ live }: { live: Live }) {
  const state = useSyncExternalStore(live.subscribe, live.state)
  useEffect(() => {
    // a browser opens six connections to a server without TLS: tabs that nobody looks at would take them all
    const follow = (): void => (document.hidden ? live.disconnect() : live.connect())
    follow()
    document.addEventListener('visibilitychange', follow)
    window.addEventListener('online', follow)
    return () => {
      document.removeEventListener('visibilitychange', follow)
      window.removeEventListener('online', follow)
      live.disconnect()
    }
  }, [live])
  const { icon: Icon, text, hint } = SHOWN[state]
  return (
    <output className={classes.status} data-state={state} title={hint}>
      <Icon aria-hidden size={14} /> {text}
    </output>
  )
}
