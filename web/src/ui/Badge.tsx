import type { ReactNode } from 'react'
import classes from './Badge.module.css'
import type { BadgeIcon } from './state-icons.tsx'

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'quiet'

/** A state in a word; the icon says it without colour. */
export function Badge({
  tone,
  icon: Icon,
  hint,
  children,
}: {
  tone: Tone
  icon?: BadgeIcon
  hint?: string
  children: ReactNode
}) {
  return (
    <span className={classes.badge} data-tone={tone} title={hint}>
      {Icon !== undefined && <Icon aria-hidden size={13} />}
      {children}
    </span>
  )
}
