import { Lock } from 'lucide-react'
import { useState } from 'react'
import { useMay } from '../../access/may.ts'
import type { Answer } from '../../api/client.ts'
import { useChange, useRead } from '../../api/queries.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Button } from '../../ui/Button.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Ends } from '../../ui/Ends.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Revoke } from '../../ui/Revoke.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import classes from './Enrolment.module.css'
import { MakeEnrolToken } from './MakeEnrolToken.tsx'

type Token = Answer<'listEnrollTokens'>['enroll_tokens'][number]

export function EnrolTokens() {
  const mayNot = useMay('operator')
  const [making, setMaking] = useState(false)
  return (
    <Panel
      title="Enrolment tokens"
      flush
      actions={
        <Button look="main" disabledReason={mayNot} onClick={() => setMaking(true)}>
          Make a token
        </Button>
      }
    >
      {making && <MakeEnrolToken onClose={() => setMaking(false)} />}
      {mayNot === null ? (
        <TokenTable />
      ) : (
        <Empty title={mayNot}>
          <Lock aria-hidden size={20} />
          <p>Operators see which tokens let hosts in.</p>
        </Empty>
      )}
    </Panel>
  )
}

function TokenTable() {
  const tokens = useRead('listEnrollTokens', {}, { again: () => 30_000 })
  const revoke = useChange('revokeEnrollToken')
  return (
    <Loaded from={tokens}>
      {({ enroll_tokens: rows }) =>
        rows.length === 0 ? (
          <Empty title="There is no enrolment token">
            <p>A host that has one registers its key by itself.</p>
          </Empty>
        ) : (
          <Table
            label="Enrolment tokens"
            rows={rows}
            keyOf={({ id }) => id}
            columns={COLUMNS}
            renderActions={({ id, name }) => (
              <Revoke
                name={name}
                about="It lets no more hosts in. Those that came with it stay."
                act={async () => await revoke.mutateAsync({ params: { id } })}
              />
            )}
          />
        )
      }
    </Loaded>
  )
}

const COLUMNS: Column<Token>[] = [
  { head: 'Name', cell: ({ name }) => <bdi>{name}</bdi> },
  {
    head: 'Lets in',
    cell: ({ hostname, environment, flake_url: flake, needs_approval: waits }) => (
      <>
        <bdi>{hostname ?? 'any host'}</bdi> {waits && <Badge tone="info">Needs approval</Badge>}
        {environment !== null && (
          <span className={classes.second}>
            into <bdi>{environment}</bdi>
          </span>
        )}
        {flake !== null && <bdi className={classes.second}>{flake}</bdi>}
      </>
    ),
  },
  {
    head: 'Uses left',
    cell: ({ uses_left: left }) => (left === 0 ? <Badge tone="quiet">Used up</Badge> : left.toLocaleString()),
  },
  { head: 'Ends', cell: ({ expires_at: at }) => <Ends at={at} soonMs={6 * 3_600_000} /> },
]
