import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { Download } from 'lucide-react'
import { addressOf, type Answer } from '../../api/client.ts'
import { usePages } from '../../api/pages.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { More } from '../../ui/More.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import { AdminOnly } from './AdminOnly.tsx'
import { AuditChange } from './AuditChange.tsx'
import { AuditFilters } from './AuditFilters.tsx'
import { ACTIONS } from './audit-actions.ts'
import { auditQuery } from './audit-search.ts'
import classes from './Settings.module.css'
import { SettingsPage } from './SettingsPage.tsx'

type Entry = Answer<'listAudit'>['records'][number]

export function Audit() {
  return (
    <SettingsPage section="audit">
      <AdminOnly title="Who changed what">
        <Trail />
      </AdminOnly>
    </SettingsPage>
  )
}

function Trail() {
  const search = useSearch({ from: '/shell/settings/audit' })
  const navigate = useNavigate({ from: '/settings/audit' })
  const query = auditQuery(search)
  const pages = usePages('listAudit', { query: { ...query, limit: 50 } })
  return (
    <Panel
      title="Who changed what"
      flush
      actions={
        <a
          className={classes.inline}
          href={addressOf('listAudit', { query: { ...query, format: 'csv' } })}
          download
        >
          <Download aria-hidden size={15} /> CSV of all that is found
        </a>
      }
    >
      <AuditFilters
        key={JSON.stringify(search)}
        search={search}
        onChoose={(chosen) => void navigate({ search: chosen })}
      />
      <Loaded from={pages}>
        {({ pages: read }) => {
          const rows = read.flatMap(({ records }) => records)
          return rows.length === 0 ? (
            <Empty title="No record is like this">
              <p>Names have to be whole; records are kept as long as the configuration says.</p>
            </Empty>
          ) : (
            <Table label="Who changed what" rows={rows} keyOf={({ id }) => id} columns={COLUMNS} />
          )
        }}
      </Loaded>
      <More pages={pages} />
    </Panel>
  )
}

const KINDS: Record<Entry['actor']['kind'], string> = {
  user: 'user',
  token: 'API token',
  agent: 'agent',
  configuration: 'configuration',
  command: 'command',
  system: 'Crystal Forge itself',
}

const COLUMNS: Column<Entry>[] = [
  { head: 'When', cell: ({ at }) => <Time at={at} /> },
  {
    head: 'Who',
    cell: ({ actor: { kind, name, role, address } }) => (
      <>
        <bdi>{name}</bdi>
        <span className={classes.second}>{[KINDS[kind], role, address].filter(Boolean).join(', ')}</span>
      </>
    ),
  },
  { head: 'What', cell: ({ action }) => <span title={action}>{ACTIONS[action]}</span> },
  { head: 'To what', cell: ({ subject }) => <Subject of={subject} /> },
  { head: 'Change', cell: ({ before, after }) => <AuditChange before={before} after={after} /> },
]

function Subject({ of: { kind, id, name } }: { of: Entry['subject'] }) {
  if (kind === 'system' || kind === 'key')
    return (
      <>
        <Link to="/systems/$hostname" params={{ hostname: name }}>
          <bdi>{name}</bdi>
        </Link>
        {kind === 'key' && id !== null && <code className={classes.second}>{id.slice(0, 12)}…</code>}
      </>
    )
  if (kind === 'flake' && id !== null)
    return (
      <Link to="/flakes/$id" params={{ id }}>
        <bdi>{name}</bdi>
      </Link>
    )
  return <bdi>{name}</bdi>
}
