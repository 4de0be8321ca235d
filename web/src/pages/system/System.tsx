import { Link, useParams, useSearch } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useRead } from '../../api/queries.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Page } from '../../ui/Page.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { DRIFT, LIVENESS } from '../../ui/states.ts'
import { Actions } from './Actions.tsx'
import { Facts } from './Facts.tsx'
import { Generations } from './Generations.tsx'
import { Keys } from './Keys.tsx'
import { Online } from './Online.tsx'
import { Reports } from './Reports.tsx'
import { TABS, type TabName } from './search.ts'
import { State } from './State.tsx'
import classes from './System.module.css'
import type { SystemAnswer } from './system-answer.ts'
import { Timeline } from './Timeline.tsx'

/** That a system falls silent is no event, nor that it is still there: time alone changes how it stands. */
const AGAIN_MS = 20_000

export function System() {
  const { hostname } = useParams({ from: '/shell/systems/$hostname' })
  const { tab = 'state' } = useSearch({ from: '/shell/systems/$hostname' })
  const system = useRead('getSystem', { params: { hostname } }, { again: () => AGAIN_MS })
  const { data } = system
  const above = <Link to="/systems">Systems</Link>
  if (data === undefined)
    return (
      <Page title={hostname} above={above}>
        <Loaded
          from={system}
          skeleton={<Skeleton lines={16} />}
          missing={
            <Empty title="There is no system of this name">
              <p>A system has the name under which it was registered, whatever its host calls itself now.</p>
              <Link to="/systems" search={{ text: hostname }}>
                Systems with it in their name
              </Link>
              <Link to="/systems">All systems</Link>
            </Empty>
          }
        >
          {() => null}
        </Loaded>
      </Page>
    )
  return (
    <Page title={data.hostname} above={above} actions={<Actions system={data} />}>
      <div className={classes.summary}>
        {data.archived_at !== null && <span>Archived</span>}
        {data.drift !== null && <StateBadge state={DRIFT[data.drift.standing]} />}
        <StateBadge state={LIVENESS[data.liveness]} />
        {data.environment !== null && <bdi className={classes.environment}>{data.environment}</bdi>}
      </div>
      <nav className={classes.tabs} aria-label="Parts of this page">
        {TABS.map(({ name, title }) => (
          <Link
            key={name}
            to="/systems/$hostname"
            params={{ hostname }}
            search={name === 'state' ? {} : { tab: name }}
            resetScroll={false}
            activeOptions={{ exact: true, includeSearch: true }}
            className={classes.tab}
          >
            {title}
          </Link>
        ))}
      </nav>
      <Part tab={tab} system={data} />
    </Page>
  )
}

function Part({ tab, system }: { tab: TabName; system: SystemAnswer }) {
  const Shown = PARTS[tab]
  return <Shown system={system} />
}

const PARTS: Record<TabName, (props: { system: SystemAnswer }) => ReactNode> = {
  state: State,
  facts: Facts,
  timeline: Timeline,
  generations: Generations,
  online: Online,
  keys: Keys,
  reports: Reports,
}
