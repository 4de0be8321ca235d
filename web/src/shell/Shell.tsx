import { Link, Outlet, useRouterState } from '@tanstack/react-router'
import { Menu } from 'lucide-react'
import { useState } from 'react'
import { UserMenu } from '../access/UserMenu.tsx'
import type { Live } from '../live/live.ts'
import { LiveStatus } from '../live/LiveStatus.tsx'
import { Navigation } from './Navigation.tsx'
import { SearchBox } from './SearchBox.tsx'
import classes from './Shell.module.css'
import { ShortcutHelp } from './ShortcutHelp.tsx'
import { ThemeChoice } from './ThemeChoice.tsx'

/** What is around every page: where one can go, the search, and whether what is seen is live. */
export function Shell({ live }: { live: Live }) {
  const path = useRouterState({ select: ({ location }) => location.pathname })
  // where the menu was opened: going elsewhere closes it
  const [menuAt, setMenuAt] = useState<string | null>(null)
  const menuOpen = menuAt === path
  return (
    <div className={classes.shell}>
      <a href="#content" className={classes.skip}>
        Skip to the content
      </a>
      <header className={classes.bar}>
        <button
          type="button"
          className={classes.menu}
          aria-expanded={menuOpen}
          aria-controls="navigation"
          aria-label="Menu"
          onClick={() => setMenuAt(menuOpen ? null : path)}
        >
          <Menu aria-hidden size={20} />
        </button>
        <Link to="/" className={classes.brand}>
          <img src="/icon.svg" alt="" width={24} height={24} /> <span>Crystal Forge</span>
        </Link>
        <SearchBox />
        <div className={classes.tools}>
          <LiveStatus live={live} />
          <ThemeChoice />
          <span className={classes.keys}>
            <ShortcutHelp />
          </span>
          <UserMenu />
        </div>
      </header>
      <Navigation open={menuOpen} />
      <main id="content" className={classes.content} tabIndex={-1}>
        <Outlet />
      </main>
    </div>
  )
}
