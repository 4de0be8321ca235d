import { useState } from 'react'
import type { Answer } from '../../api/client.ts'
import { useChange } from '../../api/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { Confirm } from '../../ui/Confirm.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { ProblemNote } from '../../ui/ProblemNote.tsx'
import { ChooseRole } from './ChooseRole.tsx'
import { PasswordLink } from './PasswordLink.tsx'
import classes from './Settings.module.css'
import type { User } from './Users.tsx'

/** Everything that an administrator does with one user. */
export function ManageUser({ user, onClose }: { user: User; onClose: () => void }) {
  const [link, setLink] = useState<Answer<'createPasswordLink'> | null>(null)
  if (link !== null) return <PasswordLink name={user.name} link={link} onClose={onClose} />
  return (
    <Dialog title={user.name} onClose={onClose}>
      <div className={classes.stack}>
        <ChangeRole user={user} />
        <NewLink user={user} onLink={setLink} />
        <EndSessions user={user} />
        <SetDisabled user={user} />
        <Remove user={user} onDone={onClose} />
        <div className={classes.buttons}>
          <Button onClick={onClose}>Done</Button>
        </div>
      </div>
    </Dialog>
  )
}

function ChangeRole({ user }: { user: User }) {
  const [role, setRole] = useState(user.role)
  const change = useChange('changeUser')
  return (
    <form
      className={classes.stack}
      onSubmit={(event) => {
        event.preventDefault()
        change.mutate({ params: { id: user.id }, body: { role } })
      }}
    >
      <ChooseRole value={role} onChange={setRole} />
      {change.error !== null && <ProblemNote error={change.error} />}
      <div className={classes.inline}>
        <Button
          type="submit"
          look="main"
          busy={change.isPending}
          disabledReason={
            user.signs_in_by === 'oidc'
              ? 'The groups at the OpenID provider say the role'
              : role === user.role
                ? 'This is the role already'
                : null
          }
        >
          Change the role
        </Button>
        <output className={classes.good}>{change.isSuccess && role === user.role ? 'Changed' : ''}</output>
      </div>
    </form>
  )
}

function NewLink({ user, onLink }: { user: User; onLink: (link: Answer<'createPasswordLink'>) => void }) {
  const create = useChange('createPasswordLink')
  return (
    <div className={classes.row}>
      <p>
        Password
        <span className={classes.second}>A new link replaces one that was made before.</span>
      </p>
      <Button
        busy={create.isPending}
        disabledReason={user.signs_in_by === 'oidc' ? 'Signs in with the OpenID provider' : null}
        onClick={() => create.mutate({ params: { id: user.id } }, { onSuccess: onLink })}
      >
        New link
      </Button>
      {create.error !== null && <ProblemNote error={create.error} />}
    </div>
  )
}

function EndSessions({ user }: { user: User }) {
  const end = useChange('endSessions')
  return (
    <div className={classes.row}>
      <p>
        Sessions
        <span className={classes.second}>Has to sign in again, wherever that was.</span>
      </p>
      <Confirm
        question={`Sign ${user.name} out everywhere?`}
        does="Sign out"
        act={async () => await end.mutateAsync({ params: { id: user.id } })}
      >
        Sign out everywhere
      </Confirm>
    </div>
  )
}

function SetDisabled({ user }: { user: User }) {
  const change = useChange('changeUser')
  const does = user.disabled ? 'Enable' : 'Disable'
  return (
    <div className={classes.row}>
      <p>
        Account
        <span className={classes.second}>
          {user.disabled ? 'It is disabled: signing in is refused.' : 'Disabling ends all sessions at once.'}
        </span>
      </p>
      <Confirm
        question={`${does} ${user.name}?`}
        does={does}
        act={async () =>
          await change.mutateAsync({ params: { id: user.id }, body: { disabled: !user.disabled } })
        }
      >
        {does}
      </Confirm>
    </div>
  )
}

function Remove({ user, onDone }: { user: User; onDone: () => void }) {
  const remove = useChange('removeUser')
  return (
    <div className={classes.row}>
      <p>
        Removal
        <span className={classes.second}>What was done stays in the audit trail.</span>
      </p>
      <Confirm
        look="danger"
        question={`Remove ${user.name}?`}
        does="Remove"
        about={<p>All sessions end, and the account cannot be brought back.</p>}
        act={async () => {
          await remove.mutateAsync({ params: { id: user.id } })
          onDone()
        }}
      >
        Remove
      </Confirm>
    </div>
  )
}
