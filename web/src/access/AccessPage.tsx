import type { ReactNode } from 'react'
import classes from './AccessPage.module.css'

/** A page for people who are not signed in. */
export function AccessPage({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className={classes.page}>
      <title>{`${title} · Crystal Forge`}</title>
      <div className={classes.card}>
        <img src="/icon.svg" alt="Crystal Forge" width={40} height={40} />
        <h1 tabIndex={-1}>{title}</h1>
        {children}
      </div>
    </main>
  )
}
