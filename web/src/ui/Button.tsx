import type { ReactNode } from 'react'
import classes from './Button.module.css'

export interface ButtonProps {
  children: ReactNode
  onClick?: () => void
  type?: 'button' | 'submit'
  look?: 'plain' | 'main' | 'danger' | 'quiet'
  /** Under way: the button says so and takes no second click. */
  busy?: boolean
  /** Why it cannot be used now; it stays in the tab order, so that everybody can find out. */
  disabledReason?: string | null | undefined
  label?: string
}

export function Button({
  children,
  onClick,
  type = 'button',
  look = 'plain',
  busy = false,
  disabledReason,
  label,
}: ButtonProps) {
  const off = busy || (disabledReason !== undefined && disabledReason !== null)
  return (
    <button
      type={type}
      className={classes.button}
      data-look={look}
      aria-label={label}
      aria-disabled={off}
      aria-busy={busy}
      title={disabledReason ?? undefined}
      onClick={(event) => {
        if (off) event.preventDefault()
        else onClick?.()
      }}
    >
      {children}
    </button>
  )
}
