import { type ReactNode, useId } from 'react'
import classes from './Panel.module.css'

/** A part of a page with its heading. */
export function Panel({
  title,
  actions,
  children,
  flush = false,
}: {
  title: string
  actions?: ReactNode
  children: ReactNode
  /** No space around the content, for tables. */
  flush?: boolean
}) {
  const id = useId()
  return (
    <section className={classes.panel} aria-labelledby={id}>
      <header className={classes.head}>
        <h2 id={id}>{title}</h2>
        {actions !== undefined && <div className={classes.actions}>{actions}</div>}
      </header>
      <div className={flush ? classes.flush : classes.body}>{children}</div>
    </section>
  )
}
