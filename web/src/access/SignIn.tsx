import { useMutation, useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { call } from '../api/client.ts'
import { read } from '../api/queries.ts'
import { Button } from '../ui/Button.tsx'
import { ProblemNote } from '../ui/ProblemNote.tsx'
import { TextField } from '../ui/TextField.tsx'
import { AccessPage } from './AccessPage.tsx'
import classes from './AccessPage.module.css'
import { localPath, useBecome } from './session.ts'

export function SignIn() {
  const { from } = useSearch({ from: '/sign-in' })
  const { data: session, error } = useQuery(read('getSession', {}))
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const become = useBecome()
  const signIn = useMutation({
    mutationFn: async () => await call('signIn', { body: { name, password } }),
    onSuccess: async () => await become(localPath(from)),
    onError: () => setPassword(''),
  })
  const oidc = session?.sign_in.oidc ?? null
  return (
    <AccessPage title="Sign in">
      {session?.setup_needed === true && (
        <p>
          There is no user yet. The server made a link for the first administrator: it is in the file{' '}
          <code>setup-link</code> of its state directory.
        </p>
      )}
      {error !== null && <ProblemNote error={error} />}
      {oidc !== null && (
        <p className={classes.other}>
          <a href={`/auth/oidc/start?return=${encodeURIComponent(localPath(from))}`}>
            Sign in with {oidc.name}
          </a>
        </p>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          signIn.mutate()
        }}
      >
        <TextField
          label="Name"
          required
          autoComplete="username"
          maxLength={128}
          value={name}
          onChange={setName}
        />
        <TextField
          label="Password"
          required
          type="password"
          autoComplete="current-password"
          maxLength={1024}
          value={password}
          onChange={setPassword}
        />
        {signIn.error !== null && <ProblemNote error={signIn.error} />}
        <Button type="submit" look="main" busy={signIn.isPending}>
          Sign in
        </Button>
      </form>
    </AccessPage>
  )
}
