import { CircleSlash } from 'lucide-react'
import { useState } from 'react'
import { useSession } from '../../access/session.ts'
import type { Answer } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Button } from '../../ui/Button.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import { AddUser } from './AddUser.tsx'
import { AdminOnly } from './AdminOnly.tsx'
import { ManageUser } from './ManageUser.tsx'
import classes from './Settings.module.css'

export type User = Answer<'listUsers'>['users'][number]

export function Users() {
  return (
    <AdminOnly title="People who sign in">
      <UserList />
    </AdminOnly>
  )
}

function UserList() {
  const users = useRead('listUsers', {})
  const { user: self } = useSession()
  const [adding, setAdding] = useState(false)
  const [managed, setManaged] = useState<number | null>(null)
  const chosen = users.data?.users.find(({ id }) => id === managed)
  return (
    <Panel
      title="People who sign in"
      flush
      actions={
        <Button look="main" onClick={() => setAdding(true)}>
          Add a user
        </Button>
      }
    >
      {adding && <AddUser onClose={() => setAdding(false)} />}
      {chosen !== undefined && <ManageUser user={chosen} onClose={() => setManaged(null)} />}
      <Loaded from={users}>
        {({ users: rows }) => (
          <Table
            label="People who sign in"
            rows={rows}
            keyOf={({ id }) => id}
            columns={columns(self?.id)}
            renderActions={({ id, name }) => (
              <Button label={`Manage ${name}`} onClick={() => setManaged(id)}>
                Manage
              </Button>
            )}
          />
        )}
      </Loaded>
    </Panel>
  )
}

const SIGNS_IN = { password: 'by password', oidc: 'by the OpenID provider' } as const

const columns = (self: number | undefined): Column<User>[] => [
  {
    head: 'Name',
    cell: ({ id, name, display_name: shown, disabled }) => (
      <>
        <span className={classes.inline}>
          <strong>
            <bdi>{name}</bdi>
          </strong>
          {id === self && <Badge tone="info">You</Badge>}
          {disabled && (
            <Badge tone="warn" icon={CircleSlash} hint="Signing in is refused.">
              Disabled
            </Badge>
          )}
        </span>
        {shown !== '' && <bdi className={classes.second}>{shown}</bdi>}
      </>
    ),
  },
  { head: 'Role', cell: ({ role }) => role },
  {
    head: 'Signs in',
    cell: ({ signs_in_by: by }) => (by === null ? 'has chosen no password yet' : SIGNS_IN[by]),
  },
  { head: 'Last seen', cell: ({ last_sign_in_at: at }) => (at === null ? 'never' : <Time at={at} />) },
  { head: 'Added', cell: ({ created_at: at }) => <Time at={at} /> },
]
