import { Link } from '@tanstack/react-router'
import { CircleUser, HeartPulse, KeySquare, ScrollText, Timer, Users, Webhook } from 'lucide-react'
import type { ReactNode } from 'react'
import { Page } from '../../ui/Page.tsx'
import classes from './Settings.module.css'

export const SECTIONS = {
  account: { text: 'Account', icon: CircleUser },
  users: { text: 'Users', icon: Users },
  tokens: { text: 'API tokens', icon: KeySquare },
  webhooks: { text: 'Webhooks', icon: Webhook },
  jobs: { text: 'Jobs', icon: Timer },
  health: { text: 'Health', icon: HeartPulse },
  audit: { text: 'Audit trail', icon: ScrollText },
} as const
export type Section = keyof typeof SECTIONS

/** One section of the settings, beside the way to the others. */
export function SettingsPage({ section, children }: { section: Section; children: ReactNode }) {
  return (
    <Page title={SECTIONS[section].text} above="Settings">
      <div className={classes.layout}>
        <nav className={classes.sections} aria-label="Settings">
          <ul>
            {Object.entries(SECTIONS).map(([key, { text, icon: Icon }]) => (
              <li key={key}>
                <Link
                  to="/settings/$section"
                  params={{ section: key }}
                  aria-current={key === section ? 'page' : undefined}
                >
                  <Icon aria-hidden size={16} /> {text}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className={classes.content}>{children}</div>
      </div>
    </Page>
  )
}
