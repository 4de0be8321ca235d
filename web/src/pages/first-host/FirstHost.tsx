import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { Page } from '../../ui/Page.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Arrival } from './Arrival.tsx'
import { ChooseHost } from './ChooseHost.tsx'
import classes from './FirstHost.module.css'
import { Paste } from './Paste.tsx'

/** From nothing to a host that reports: a name, one block to paste, and the wait for what it says. */
export function FirstHost() {
  const { host } = useSearch({ from: '/shell/first-host' })
  const navigate = useNavigate({ from: '/first-host' })
  const [token, setToken] = useState<string | null>(null)
  return (
    <Page title="Let a host report">
      <div className={classes.steps}>
        <Panel title="1. Which host">
          <ChooseHost
            onToken={(made, hostname) => {
              setToken(made)
              void navigate({ search: { host: hostname }, replace: true, resetScroll: false })
            }}
          />
        </Panel>
        <Panel title="2. Paste this there">
          <Paste token={token} />
        </Panel>
        <Panel title="3. It reports">
          <Arrival host={host} />
        </Panel>
      </div>
    </Page>
  )
}
