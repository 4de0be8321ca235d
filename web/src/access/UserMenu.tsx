import { useMutation } from '@tanstack/react-query'
import { Link, useRouterState } from '@tanstack/react-router'
import { CircleUser, LogIn } from 'lucide-react'
import { useId } from 'react'
import { Button } from '../ui/Button.tsx'
import { ProblemNote } from '../ui/ProblemNote.tsx'
import { useSession, useSignOut } from './session.ts'
import classes from './UserMenu.module.css'

/** Who is signed in, and the way out; or the way in. */
export function UserMenu() {
  const { user, role } = useSession()
  const signOut = useMutation({ mutationFn: useSignOut() })
  const id = useId()
  const from = useRouterState({ select: ({ location }) => location.href })
  if (user === null)
    return (
      <Link to="/sign-in" search={{ from }} className={classes.signIn}>
        <LogIn aria-hidden size={17} /> Sign in
      </Link>
    )
  return (
    <>
      <button
        type="button"
        className={classes.button}
        popoverTarget={id}
        aria-label={`Account of ${user.name}`}
      >
        <CircleUser aria-hidden size={18} />
        <bdi className={classes.name}>{user.display_name === '' ? user.name : user.display_name}</bdi>
      </button>
      <div id={id} popover="auto" className={classes.menu}>
        <p>
          <bdi>{user.name}</bdi>
          <br />
          <span className={classes.role}>{role}</span>
        </p>
        <Link
          to="/settings/$section"
          params={{ section: 'account' }}
          onClick={() => document.getElementById(id)?.hidePopover()}
        >
          Account
        </Link>
        {signOut.error !== null && <ProblemNote error={signOut.error} />}
        <Button busy={signOut.isPending} onClick={() => signOut.mutate()}>
          Sign out
        </Button>
      </div>
    </>
  )
}
