import { Link } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import type { Answer } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Page } from '../../ui/Page.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { Activity } from './Activity.tsx'
import { Attention } from './Attention.tsx'
import { DriftCounts, FlagCounts, LivenessCounts } from './Counts.tsx'
import { Headline } from './Headline.tsx'
import classes from './Overview.module.css'

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
      <div className={classes.counts}>
        <DriftCounts counts={counts} />
        <LivenessCounts counts={counts} />
        <FlagCounts counts={counts} />
      </div>
      <Attention />
      <div className={classes.below}>
        <Panel title="Activity" flush>
          <Activity />
        </Panel>
        <Suspense fallback={<Skeleton lines={8} />}>
          <Trend />
        </Suspense>
      </div>
    </>
  )
}

function Nothing() {
  return (
    <Panel title="No system reports yet">
      <Empty title="Let the first host report">
        <p>One block to copy is enough for a NixOS host to enrol, and to say what it runs.</p>
        <Link to="/first-host">Add the first host</Link>
      </Empty>
    </Panel>
  )
}
