import { Link } from '@tanstack/react-router'
import { CircleCheck, Hourglass, LoaderCircle, type LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Answer } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { DRIFT } from '../../ui/states.ts'
import { Time } from '../../ui/Time.tsx'
import classes from './FirstHost.module.css'

type SystemRow = Answer<'listSystems'>['systems'][number]

const AGAIN_MS = 2000

/** Says how far the host has come, until it has reported. */
export function Arrival({ host }: { host: string | undefined }) {
  if (host === undefined)
    return (
      <Empty title="Nobody is waited for yet">
        <p>This page says when the first report arrives.</p>
      </Empty>
    )
  return <Stages host={host} />
}

function Stages({ host }: { host: string }) {
  const isIt = ({ hostname }: { hostname: string }) => hostname.toLowerCase() === host.toLowerCase()
  const systems = useRead(
    'listSystems',
    { query: { text: host, limit: 200 } },
    { again: (data) => (hasReported(data?.systems.find(isIt)) ? false : AGAIN_MS) },
  )
  const waiting = useRead(
    'listKeys',
    { query: { status: 'pending', text: host, limit: 200 } },
    { again: () => (hasReported(systems.data?.systems.find(isIt)) ? false : AGAIN_MS) },
  )
  return (
    <Loaded from={systems}>
      {({ systems: rows }) => (
        <output>
          {waiting.data?.keys.some(isIt) === true ? (
            <Approval host={host} />
          ) : (
            <Stage host={host} system={rows.find(isIt)} />
          )}
        </output>
      )}
    </Loaded>
  )
}

const hasReported = (system: SystemRow | undefined): boolean =>
  system !== undefined && system.current_system !== null

/** Whoever else has the name, archived or not, keeps it until somebody decides. */
function Approval({ host }: { host: string }) {
  return (
    <Said
      tone="warn"
      icon={Hourglass}
      title={
        <>
          <bdi>{host}</bdi> waits for approval
        </>
      }
    >
      There is a system of this name already. <Link to="/enrolment">Approve its new key</Link>
    </Said>
  )
}

function Stage({ host, system }: { host: string; system: SystemRow | undefined }) {
  if (system === undefined)
    return (
      <Said
        tone="info"
        icon={LoaderCircle}
        title={
          <>
            Waiting for <bdi>{host}</bdi>
          </>
        }
      >
        It has not called yet. What it says there: <code>journalctl -u crystal-forge-agent</code>
      </Said>
    )
  if (system.current_system !== null)
    return (
      <Said
        tone="good"
        icon={CircleCheck}
        title={
          <>
            <bdi>{system.hostname}</bdi> reports
          </>
        }
      >
        {system.last_contact !== null && (
          <>
            It was heard of <Time at={system.last_contact} />.{' '}
          </>
        )}
        {system.drift !== null && <StateBadge state={DRIFT[system.drift.state]} />}{' '}
        <Link to="/systems/$hostname" params={{ hostname: system.hostname }}>
          See what it runs
        </Link>
      </Said>
    )
  return (
    <Said
      tone="info"
      icon={LoaderCircle}
      title={
        <>
          <bdi>{system.hostname}</bdi> is known
        </>
      }
    >
      Waiting for its first report.
    </Said>
  )
}

function Said({
  tone,
  icon: Icon,
  title,
  children,
}: {
  tone: 'good' | 'warn' | 'info'
  icon: LucideIcon
  title: ReactNode
  children: ReactNode
}) {
  return (
    <div className={classes.stage} data-tone={tone}>
      <Icon aria-hidden size={22} />
      <div>
        <strong>{title}</strong>
        <p>{children}</p>
      </div>
    </div>
  )
}
