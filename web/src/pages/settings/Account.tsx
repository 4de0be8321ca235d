import { Link } from '@tanstack/react-router'
import { CircleCheck } from 'lucide-react'
import { useState } from 'react'
import { NewPassword } from '../../access/NewPassword.tsx'
import { useBecome, useSession } from '../../access/session.ts'
import { call } from '../../api/client.ts'
import { useChange } from '../../api/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { Confirm } from '../../ui/Confirm.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Facts } from '../../ui/Facts.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { ProblemNote } from '../../ui/ProblemNote.tsx'
import { TextField } from '../../ui/TextField.tsx'
import { Time } from '../../ui/Time.tsx'
import { ROLES } from './roles.ts'
import classes from './Settings.module.css'

export function Account() {
  const {
    user,
    role,
    expires_at: expiresAt,
    sign_in: { oidc },
  } = useSession()
  if (user === null)
    return (
      <Panel title="You">
        <Empty title="You are not signed in">
          <p>Without an account pages can be read, and nothing changed.</p>
          <Link to="/sign-in" search={{ from: '/settings/account' }}>
            Sign in
          </Link>
        </Empty>
      </Panel>
    )
  return (
    <>
      <Panel title="You">
        <Facts
          of={{
            Name: <bdi>{user.name}</bdi>,
            'Shown as': user.display_name === '' ? null : <bdi>{user.display_name}</bdi>,
            Role: role === null ? null : `${role}: ${ROLES[role]}`,
            'Signs in':
              user.signs_in_by === 'oidc'
                ? `by ${oidc?.name ?? 'the OpenID provider'}, which has the password`
                : null,
            'This session ends': expiresAt === null ? null : <Time at={expiresAt} />,
          }}
        />
      </Panel>
      {user.signs_in_by === 'password' && (
        <Panel title="Password">
          <ChangePassword />
        </Panel>
      )}
      <Panel title="Sessions">
        <SignOutEverywhere id={user.id} />
      </Panel>
    </>
  )
}

function ChangePassword() {
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const change = useChange('changeOwnPassword')
  return (
    <form
      className={`${classes.stack} ${classes.narrow}`}
      onSubmit={(event) => {
        event.preventDefault()
        change.mutate(
          { body: { current, password } },
          {
            onSuccess: () => setPassword(''),
            onSettled: () => setCurrent(''),
          },
        )
      }}
    >
      <TextField
        label="Current password"
        required
        type="password"
        autoComplete="current-password"
        maxLength={1024}
        value={current}
        onChange={setCurrent}
      />
      <NewPassword label="New password" value={password} onChange={setPassword} />
      {change.error !== null && <ProblemNote error={change.error} />}
      <output className={classes.good}>
        {change.isSuccess && (
          <>
            <CircleCheck aria-hidden size={16} /> The password is changed, and all your other sessions ended.
          </>
        )}
      </output>
      <div>
        <Button type="submit" look="main" busy={change.isPending}>
          Change the password
        </Button>
      </div>
    </form>
  )
}

function SignOutEverywhere({ id }: { id: number }) {
  const become = useBecome()
  return (
    <div className={classes.stack}>
      <p>On a lost laptop or a borrowed machine you may still be signed in.</p>
      <div>
        <Confirm
          look="danger"
          question="Sign out everywhere?"
          does="Sign out"
          about={<p>All your sessions end, this one too.</p>}
          act={async () => {
            await call('endSessions', { params: { id } })
            await become('/sign-in')
          }}
        >
          Sign out everywhere
        </Confirm>
      </div>
    </div>
  )
}
