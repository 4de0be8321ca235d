import { useState } from 'react'
import type { Answer } from '../../api/client.ts'
import { useChange, useRead } from '../../api/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Ends } from '../../ui/Ends.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Revoke } from '../../ui/Revoke.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import { AdminOnly } from './AdminOnly.tsx'
import { MakeToken } from './MakeToken.tsx'

type Token = Answer<'listTokens'>['tokens'][number]

export function ApiTokens() {
  return (
    <AdminOnly title="API tokens">
      <TokenList />
    </AdminOnly>
  )
}

function TokenList() {
  const tokens = useRead('listTokens', {})
  const revoke = useChange('revokeToken')
  const [making, setMaking] = useState(false)
  return (
    <Panel
      title="API tokens"
      flush
      actions={
        <Button look="main" onClick={() => setMaking(true)}>
          Make a token
        </Button>
      }
    >
      {making && <MakeToken onClose={() => setMaking(false)} />}
      <Loaded from={tokens}>
        {({ tokens: rows }) =>
          rows.length === 0 ? (
            <Empty title="There is no API token">
              <p>Scripts, the command line and Prometheus use the API with one.</p>
            </Empty>
          ) : (
            <Table
              label="API tokens"
              rows={rows}
              keyOf={({ id }) => id}
              columns={COLUMNS}
              renderActions={({ id, name }) => (
                <Revoke
                  name={name}
                  about="Whatever uses it is refused from now on. This cannot be undone."
                  act={async () => await revoke.mutateAsync({ params: { id } })}
                />
              )}
            />
          )
        }
      </Loaded>
    </Panel>
  )
}

const COLUMNS: Column<Token>[] = [
  { head: 'Name', cell: ({ name }) => <bdi>{name}</bdi> },
  { head: 'Role', cell: ({ role }) => role },
  { head: 'Made', cell: ({ created_at: at }) => <Time at={at} /> },
  { head: 'Last used', cell: ({ last_used_at: at }) => (at === null ? 'never' : <Time at={at} />) },
  { head: 'Ends', cell: ({ expires_at: at }) => (at === null ? 'never' : <Ends at={at} />) },
]
