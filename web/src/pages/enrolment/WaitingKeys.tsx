import { useMay } from '../../access/may.ts'
import { usePages } from '../../api/pages.ts'
import { useChange } from '../../api/queries.ts'
import { Confirm } from '../../ui/Confirm.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Mono } from '../../ui/Mono.tsx'
import { More } from '../../ui/More.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import classes from './Enrolment.module.css'
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
                  <Approve of={key} />
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

function Approve({ of: { id, hostname } }: { of: Key }) {
  const mayNot = useMay('operator')
  const approve = useChange('approveKeys')
  return (
    <Confirm
      look="main"
      label={`Approve the key of ${hostname}`}
      disabledReason={mayNot}
      question={`Let this key report as ${hostname}?`}
      does="Approve"
      about={
        <div className={classes.stack}>
          <code className={classes.fingerprint}>{id}</code>
          <p>
            Compare it with what the host says: <code>key_id</code> in{' '}
            <code>journalctl -u crystal-forge-agent</code>.
          </p>
        </div>
      }
      act={async () => await approve.mutateAsync({ params: { hostname }, body: { key_id: id } })}
    >
      Approve
    </Confirm>
  )
}
