import type { ReactNode } from 'react'
import type { Answer } from '../../api/client.ts'
import { StorePath } from '../../ui/Mono.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { DRIFT, FLAGS, LIVENESS } from '../../ui/states.ts'
import { TimeSince } from '../../ui/Time.tsx'
import { REGISTRATIONS, type SystemsSearch } from './search.ts'
import classes from './Systems.module.css'

export type SystemRow = Answer<'listSystems'>['systems'][number]

export interface Column {
  title: string
  /** Pixels. */
  width: number
  /** How the list is sorted by it, where the server can. */
  sort?: NonNullable<SystemsSearch['sort']>
  /** Shown until somebody chooses otherwise. */
  usual: boolean
  cell: (row: SystemRow, now: number) => ReactNode
}

export const COLUMNS = {
  hostname: {
    title: 'System',
    width: 185,
    sort: 'hostname',
    usual: true,
    cell: ({ hostname }) => <Name hostname={hostname} />,
  },
  drift: {
    title: 'Drift',
    width: 185,
    sort: 'drift',
    usual: true,
    cell: (row) => <Drift row={row} />,
  },
  since: {
    title: 'Since',
    width: 140,
    sort: 'since',
    usual: true,
    cell: ({ drift }, now) => (drift === null ? '–' : <TimeSince at={drift.standing_since} now={now} />),
  },
  liveness: {
    title: 'Heard of',
    width: 110,
    usual: true,
    cell: ({ liveness }) => <StateBadge state={LIVENESS[liveness]} />,
  },
  contact: {
    title: 'Last contact',
    width: 140,
    sort: 'last_contact',
    usual: true,
    cell: ({ last_contact: at }, now) => (at === null ? '–' : <TimeSince at={at} now={now} />),
  },
  flags: {
    title: 'Flags',
    width: 160,
    usual: true,
    cell: ({ flags }) =>
      flags.length === 0 ? (
        '–'
      ) : (
        <span className={classes.badges}>
          {flags.map((flag) => (
            <StateBadge key={flag} state={FLAGS[flag]} />
          ))}
        </span>
      ),
  },
  environment: {
    title: 'Environment',
    width: 105,
    usual: true,
    cell: ({ environment }) => (environment === null ? '–' : <bdi title={environment}>{environment}</bdi>),
  },
  running: {
    title: 'Runs',
    width: 300,
    usual: false,
    cell: ({ current_system: path }) => (path === null ? '–' : <StorePath path={path} />),
  },
  desired: {
    title: 'Should run',
    width: 300,
    usual: false,
    cell: ({ drift }) =>
      drift?.desired_path === null || drift === null ? '–' : <StorePath path={drift.desired_path} />,
  },
  version: {
    title: 'NixOS',
    width: 190,
    usual: false,
    cell: ({ nixos_version: version }) => (version === null ? '–' : <bdi title={version}>{version}</bdi>),
  },
  registration: {
    title: 'Registration',
    width: 160,
    usual: false,
    cell: ({ registration }) => REGISTRATIONS[registration],
  },
} satisfies Record<string, Column>

export type ColumnName = keyof typeof COLUMNS

/** All that matters of a system in one cell. */
export const CARD: Column = {
  title: 'Systems',
  width: 0,
  usual: false,
  cell: (row, now) => {
    const { hostname, environment, liveness, last_contact: at, flags } = row
    return (
      <div className={classes.card}>
        <div>
          <Name hostname={hostname} />
          {environment !== null && <bdi className={classes.quiet}>{environment}</bdi>}
        </div>
        <div>
          <Drift row={row} />
          {flags.map((flag) => (
            <StateBadge key={flag} state={FLAGS[flag]} />
          ))}
        </div>
        <div>
          <StateBadge state={LIVENESS[liveness]} />
          {at !== null && (
            <span className={classes.quiet}>
              heard of <TimeSince at={at} now={now} />
            </span>
          )}
        </div>
      </div>
    )
  },
}

function Name({ hostname }: { hostname: string }) {
  return (
    <a href={`/systems/${encodeURIComponent(hostname)}`} title={hostname}>
      {hostname}
    </a>
  )
}

function Drift({ row: { drift } }: { row: SystemRow }) {
  if (drift === null) return '–'
  return (
    <span>
      <StateBadge state={DRIFT[drift.standing]} />
      {drift.standing === 'behind' && drift.commits_behind !== null && ` by ${drift.commits_behind}`}
    </span>
  )
}
