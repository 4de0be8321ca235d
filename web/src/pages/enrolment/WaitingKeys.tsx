import { usePages } from '../../api/pages.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Mono } from '../../ui/Mono.tsx'
import { More } from '../../ui/More.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import { ApproveKey } from './ApproveKey.tsx'
import { HostLink } from './HostLink.tsx'
import type { Key } from './key-states.ts'
import { RevokeKey } from './RevokeKey.tsx'

/** Keys that asked to be let in and need somebody who says that they are whose they say. */
export function WaitingKeys() {
  const pages = usePages('listKeys', { query: { status: 'pending', limit: 50 } }, { again: 15_000 })
  return (
    <Panel title="Waiting for approval" flush>
      <Loaded from={pages} skeleton={<Skeleton lines={2} />}>
        {({ pages: read }) => {
          const rows = read.flatMap(({ keys }) => keys)
          return rows.length === 0 ? (
            <Empty title="No key waits">
              <p>
                A host that enrols with a token that needs approval, or under a name that is taken, waits
                here.
              </p>
            </Empty>
          ) : (
            <Table
              label="Keys that wait"
              rows={rows}
              keyOf={({ id }) => id}
              columns={COLUMNS}
              renderActions={(key) => (
                <>
                  <ApproveKey of={key} />
                  <RevokeKey of={key} does="Refuse" />
                </>
              )}
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
    head: 'Fingerprint',
    cell: ({ id }) => <Mono value={id} what="fingerprint" short={`${id.slice(0, 16)}…`} />,
  },
  { head: 'Asked', cell: ({ created_at: at }) => <Time at={at} /> },
]
