import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../api/client.ts'
import { Button } from '../ui/Button.tsx'
import { ProblemNote } from '../ui/ProblemNote.tsx'
import { AccessPage } from './AccessPage.tsx'
import { useLinkToken } from './link-token.ts'
import { NewPassword } from './NewPassword.tsx'
import { useBecome } from './session.ts'

/** Chooses a password by the link of an administrator. */
export function SetPassword() {
  const token = useLinkToken()
  const [password, setPassword] = useState('')
  const become = useBecome()
  const choose = useMutation({
    mutationFn: async () => await call('choosePassword', { body: { token: token ?? '', password } }),
    onSuccess: async () => await become('/'),
  })
  if (token === null)
    return (
      <AccessPage title="Choose a password">
        <p>
          This page is reached by the whole link that an administrator gave you, with what follows{' '}
          <code>#</code>.
        </p>
      </AccessPage>
    )
  return (
    <AccessPage title="Choose a password">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          choose.mutate()
        }}
      >
        <NewPassword value={password} onChange={setPassword} />
        {choose.error !== null && <ProblemNote error={choose.error} />}
        <Button type="submit" look="main" busy={choose.isPending}>
          Set the password
        </Button>
      </form>
    </AccessPage>
  )
}
