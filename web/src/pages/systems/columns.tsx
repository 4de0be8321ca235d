import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Answer } from '../../api/client.ts'
import { StorePath } from '../../ui/Mono.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { DRIFT, FLAGS, LIVENESS } from '../../ui/states.ts'
import { Time } from '../../ui/Time.tsx'
import type { SystemsSearch } from './search.ts'

export type SystemRow = Answer<'listSystems'>['systems'][number]

export interface Column {
  title: string
  /** Pixels. */
  width: number
  /** How the list is sorted by it, where the server can. */
  sort?: NonNullable<SystemsSearch['sort']>
  /** Shown until somebody chooses otherwise. */
  usual: boolean
  cell: (row: SystemRow) => ReactNode
}

export const COLUMNS = {
  hostname: {
    title: 'System',
    width: 210,
    sort: 'hostname',
    usual: true,
    cell: ({ hostname }) => (
      <Link to="/systems/$hostname" params={{ hostname }} title={hostname}>
        {hostname}
      </Link>
    ),
  },
  drift: {
    title: 'Against what it should run',
    width: 220,
    sort: 'drift',
    usual: true,
    cell: ({ drift }) =>
      drift === null ? (
        '–'
      ) : (
        <>
          <StateBadge state={DRIFT[drift.standing]} />
          {drift.standing === 'behind' && drift.commits_behind !== null && ` by ${drift.commits_behind}`}
        </>
      ),
  },
  since: {
    title: 'Since',
    width: 130,
    sort: 'since',
    usual: true,
    cell: ({ drift }) => (drift === null ? '–' : <Time at={drift.standing_since} />),
  },
  liveness: {
    title: 'Heard of',
    width: 130,
    usual: true,
    cell: ({ liveness }) => <StateBadge state={LIVENESS[liveness]} />,
  },
  contact: {
    title: 'Last contact',
    width: 130,
    sort: 'last_contact',
    usual: true,
    cell: ({ last_contact: at }) => (at === null ? '–' : <Time at={at} />),
  },
  flags: {
    title: 'Flags',
    width: 200,
    usual: true,
    cell: ({ flags }) =>
      flags.length === 0 ? '–' : flags.map((flag) => <StateBadge key={flag} state={FLAGS[flag]} />),
  },
  environment: {
    title: 'Environment',
    width: 140,
    usual: true,
    cell: ({ environment }) => (environment === null ? '–' : <bdi title={environment}>{environment}</bdi>),
  },
  running: {
    title: 'Runs',
    width: 300,
    usual: false,
    cell: ({ current_system: path }) => (path === null ? '–' : <StorePath path={path} />),
  },
  version: {
    title: 'NixOS',
    width: 190,
    usual: false,
    cell: ({ nixos_version: version }) => (version === null ? '–' : <bdi title={version}>{version}</bdi>),
  },
  registration: {
    title: 'Registration',
    width: 130,
    usual: false,
    cell: ({ registration }) => registration,
  },
} satisfies Record<string, Column>

export type ColumnName = keyof typeof COLUMNS
