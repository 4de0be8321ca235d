import { useState } from 'react'
import { useMay } from '../../access/may.ts'
import { ApiProblem, call } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button } from '../../ui/Button.tsx'
import { ProblemNote } from '../../ui/ProblemNote.tsx'
import { TextField } from '../../ui/TextField.tsx'
import classes from './FirstHost.module.css'

/** Names the host and what it should run, and makes the token that lets it in. */
export function ChooseHost({ onToken }: { onToken: (token: string, hostname: string) => void }) {
  const mayNot = useMay('operator')
  const flakes = useRead('listFlakes', {})
  const client = useQueryClient()
  const [hostname, setHostname] = useState('')
  const [flake, setFlake] = useState('')
  const name = hostname.trim()
  const make = useMutation({
    mutationFn: async () => {
      const url = flake.trim()
      if (url !== '') await follow(url)
      return await call('createEnrollToken', {
        body: {
          name: `first report of ${name}`.slice(0, 256),
          hostname: name,
          ...(url !== '' && { flake_url: url }),
        },
      })
    },
    onSuccess: async ({ token }) => {
      onToken(token, name)
      await client.invalidateQueries()
    },
  })
  const known = flakes.data?.flakes ?? []
  return (
    <form
      className={classes.stack}
      onSubmit={(event) => {
        event.preventDefault()
        make.mutate()
      }}
    >
      <div className={classes.fields}>
        <TextField
          label="Host name"
          hint="As the host calls itself; also its nixosConfiguration."
          required
          maxLength={253}
          spellCheck={false}
          value={hostname}
          onChange={setHostname}
        />
        <TextField
          label="Flake"
          hint="The Git repository that says what it should run, as in flake inputs; it is followed from now on. May be left out."
          list="known-flakes"
          maxLength={2048}
          spellCheck={false}
          value={flake}
          onChange={setFlake}
        />
        <datalist id="known-flakes">
          {known.map(({ id, url }) => (
            <option key={id} value={url} />
          ))}
        </datalist>
      </div>
      {make.error !== null && <ProblemNote error={make.error} />}
      <div>
        <Button type="submit" look="main" busy={make.isPending} disabledReason={mayNot}>
          Make the block
        </Button>
      </div>
      {mayNot !== null && <p className={classes.quiet}>{mayNot}.</p>}
    </form>
  )
}

/** One that is followed already is as good. */
async function follow(url: string): Promise<void> {
  try {
    await call('addFlake', { body: { url } })
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 409) return
    throw error
  }
}
