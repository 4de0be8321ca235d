import { Link } from '@tanstack/react-router'
import { GitBranch, KeyRound, LayoutDashboard, ListChecks, Server, Settings } from 'lucide-react'
import classes from './Navigation.module.css'

const PLACES = [
  { to: '/', text: 'Overview', icon: LayoutDashboard },
  { to: '/systems', text: 'Systems', icon: Server },
  { to: '/flakes', text: 'Flakes', icon: GitBranch },
  { to: '/evaluations', text: 'Evaluations', icon: ListChecks },
  { to: '/enrolment', text: 'Enrolment and keys', icon: KeyRound },
  { to: '/settings', text: 'Settings', icon: Settings },
] as const

export function Navigation({ open }: { open: boolean }) {
  return (
    <nav id="navigation" className={classes.navigation} data-open={open} aria-label="Pages">
      <ul>
        {PLACES.map(({ to, text, icon: Icon }) => (
          <li key={to}>
            <Link to={to} activeOptions={{ exact: to === '/', includeSearch: false }}>
              <Icon aria-hidden size={17} /> {text}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}
