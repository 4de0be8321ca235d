import { Check, ClipboardCopy, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import classes from './Copy.module.css'

const SAID = { ready: '', done: 'Copied', failed: 'Could not copy; select the text instead' }

/** Copies a value; says that it did, also to screen readers. */
export function Copy({ value, what }: { value: string; what: string }) {
  const [state, setState] = useState<'ready' | 'done' | 'failed'>('ready')
  useEffect(() => {
    if (state === 'ready') return
    const timer = setTimeout(() => setState('ready'), 2000)
    return () => clearTimeout(timer)
  }, [state])
  const Icon = { ready: ClipboardCopy, done: Check, failed: X }[state]
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(value)
      setState('done')
    } catch {
      // not allowed, or the page is served without TLS: the reader has to select the text
      setState('failed')
    }
  }
  return (
    <button
      type="button"
      className={classes.copy}
      aria-label={`Copy ${what}`}
      title={state === 'failed' ? SAID.failed : `Copy ${what}`}
      onClick={() => void copy()}
    >
      <Icon aria-hidden size={14} />
      <output className="visually-hidden">{SAID[state]}</output>
    </button>
  )
}
