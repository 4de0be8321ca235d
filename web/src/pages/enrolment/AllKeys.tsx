import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useMay } from '../../access/may.ts'
import { usePages } from '../../api/pages.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Button } from '../../ui/Button.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Mono } from '../../ui/Mono.tsx'
import { More } from '../../ui/More.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import { AddKey } from './AddKey.tsx'
import classes from './AllKeys.module.css'
import { HostLink } from './HostLink.tsx'
import { type Key, KEY_STATES } from './key-states.ts'
import { RevokeKey } from './RevokeKey.tsx'
import { keySearch } from './search.ts'

export function AllKeys() {
  const search = useSearch({ from: '/shell/enrolment' })
  const navigate = useNavigate({ from: '/enrolment' })
  const mayNot = useMay('operator')
  const [adding, setAdding] = useState(false)
  const pages = usePages('listKeys', { query: { ...search, limit: 50 } })
  const choose = (more: Record<string, string>): void =>
    void navigate({ search: keySearch({ ...search, ...more }), replace: true, resetScroll: false })
  return (
    <Panel
      title="Keys"
      flush
      actions={
        <div className={classes.filter}>
          <input
            type="search"
            aria-label="Host name"
            placeholder="Host name"
            defaultValue={search.text ?? ''}
            maxLength={253}
            onChange={({ target }) => choose({ text: target.value })}
          />
          <select
            aria-label="Status"
            value={search.status ?? 'all'}
            onChange={({ target }) => choose({ status: target.value })}
          >
            <option value="all">All</option>
            {Object.entries(KEY_STATES).map(([status, { text }]) => (
              <option key={status} value={status}>
                {text}
              </option>
            ))}
          </select>
          <Button disabledReason={mayNot} onClick={() => setAdding(true)}>
            Add a key
          </Button>
        </div>
      }
    >
      {adding && <AddKey onClose={() => setAdding(false)} />}
      <Loaded from={pages}>
        {({ pages: read }) => {
          const rows = read.flatMap(({ keys }) => keys)
          return rows.length === 0 ? (
            <Empty title={Object.keys(search).length === 0 ? 'There is no key yet' : 'No key is like this'} />
          ) : (
            <Table
              label="Keys"
              rows={rows}
              keyOf={({ id }) => id}
              columns={COLUMNS}
              renderActions={(key) =>
                key.status === 'revoked' ? null : <RevokeKey of={key} does="Revoke" />
              }
            />
          )
        }}
      </Loaded>
      <More pages={pages} />
    </Panel>
  )
}

const COLUMNS: Column<Key>[] = [
  { head: 'System', cell: ({ hostname }) => <HostLink hostname={hostname} /> },
  {
    head: 'Status',
    cell: ({ status, declared }) => (
      <>
        <StateBadge state={KEY_STATES[status]} />{' '}
        {declared && (
          <Badge tone="quiet" hint="It is declared in the configuration of the server.">
            Declared
          </Badge>
        )}
      </>
    ),
  },
  {
    head: 'Fingerprint',
    cell: ({ id }) => <Mono value={id} what="fingerprint" short={`${id.slice(0, 16)}…`} />,
  },
  { head: 'Added', cell: ({ created_at: at }) => <Time at={at} /> },
  { head: 'Revoked', cell: ({ revoked_at: at }) => (at === null ? '–' : <Time at={at} />) },
]
