import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../api/client.ts'
import { Button } from '../ui/Button.tsx'
import { ProblemNote } from '../ui/ProblemNote.tsx'
import { TextField } from '../ui/TextField.tsx'
import { AccessPage } from './AccessPage.tsx'
import { useLinkToken } from './link-token.ts'
import { NewPassword } from './NewPassword.tsx'
import { useBecome } from './session.ts'

/** Makes the first administrator. */
export function SetUp() {
  const token = useLinkToken()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const become = useBecome()
  const setUp = useMutation({
    mutationFn: async () => await call('setUp', { body: { token: token ?? '', name, password } }),
    onSuccess: async () => await become('/'),
  })
  return (
    <AccessPage title="Set up Crystal Forge">
      {token === null ? (
        <p>
          This page is reached by the whole link that the server made, with what follows <code>#</code>. The
          newest one is in the file <code>setup-link</code> of its state directory.
        </p>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            setUp.mutate()
          }}
        >
          <p>You become the first administrator, and can add others afterwards.</p>
          <TextField
            label="Name"
            hint="What you sign in with."
            required
            autoComplete="username"
            maxLength={128}
            value={name}
            onChange={setName}
          />
          <NewPassword value={password} onChange={setPassword} />
          {setUp.error !== null && <ProblemNote error={setUp.error} />}
          <Button type="submit" look="main" busy={setUp.isPending}>
            Make the administrator
          </Button>
        </form>
      )}
    </AccessPage>
  )
}
