import type { ReactNode } from 'react'
import classes from './Page.module.css'

/** Longer than any host name; subjects and names of configurations may be as long as their authors like. */
const LONGEST_TITLE = 256

/** What every page begins with: its title, in the tab and as the heading that router.tsx has the keyboard start from. */
export function Page({
  title,
  above,
  actions,
  children,
}: {
  title: string
  /** Where the page is: a link to the list it is from. */
  above?: ReactNode
  actions?: ReactNode
  children: ReactNode
}) {
  const shown = title.length > LONGEST_TITLE ? `${title.slice(0, LONGEST_TITLE - 1)}…` : title
  return (
    <>
      <title>{`${shown} · Crystal Forge`}</title>
      <header className={classes.head}>
        <div className={classes.title}>
          {above !== undefined && <div className={classes.above}>{above}</div>}
          <h1 tabIndex={-1}>
            <bdi title={shown === title ? undefined : title}>{shown}</bdi>
          </h1>
        </div>
        {actions !== undefined && <div className={classes.actions}>{actions}</div>}
      </header>
      <div className={classes.content}>{children}</div>
    </>
  )
}
