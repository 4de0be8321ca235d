import { Link } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import type { Answer } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import button from '../../ui/Button.module.css'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Page } from '../../ui/Page.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { Activity } from './Activity.tsx'
import { Attention } from './Attention.tsx'
import { Counts } from './Counts.tsx'
import { Headline } from './Headline.tsx'
import classes from './Overview.module.css'
import { TrendPanel } from './TrendPanel.tsx'

const Trend = lazy(async () => ({ default: (await import('./Trend.tsx')).Trend }))

export function Overview() {
  const summary = useRead('getFleetSummary', {})
  return (
    <Page title="Overview">
      <Loaded from={summary} skeleton={<Skeleton lines={12} />}>
        {(counts) =>
          counts.systems === 0 && counts.pending_keys === 0 ? <Nothing /> : <Fleet counts={counts} />
        }
      </Loaded>
    </Page>
  )
}

function Fleet({ counts }: { counts: Answer<'getFleetSummary'> }) {
  return (
    <>
      <Headline counts={counts} />
      <Counts of={counts} />
      <div className={classes.below}>
        <Attention />
        <div className={classes.lately}>
          <Suspense fallback={<TrendPanel>{null}</TrendPanel>}>
            <Trend />
          </Suspense>
          <Activity />
        </div>
      </div>
    </>
  )
}

function Nothing() {
  return (
    <Panel title="No system reports yet">
      <Empty title="Let the first host report">
        <p>One block to copy is enough for a NixOS host to enrol, and to prove what it runs.</p>
        <Link to="/first-host" className={button.button} data-look="main">
          Add the first host
        </Link>
      </Empty>
    </Panel>
  )
}
