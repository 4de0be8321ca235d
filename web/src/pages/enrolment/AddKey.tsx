import { useState } from 'react'
import { useChange } from '../../api/queries.ts'
import { FormDialog } from '../../ui/FormDialog.tsx'
import { Snippet } from '../../ui/Snippet.tsx'
import { TextField } from '../../ui/TextField.tsx'

/** Gives a system one more key: the first step of a rotation. */
export function AddKey({ onClose }: { onClose: () => void }) {
  const [hostname, setHostname] = useState('')
  const [key, setKey] = useState('')
  const add = useChange('addSystemKey')
  return (
    <FormDialog
      title="Add a key"
      does="Add"
      change={add}
      onClose={onClose}
      onSubmit={() =>
        add.mutate(
          { params: { hostname: hostname.trim() }, body: { public_key: key.trim() } },
          { onSuccess: onClose },
        )
      }
    >
      <p>
        To replace a key: make a new pair, add its public half here, give the host the private half, and
        revoke the old key when the host reports with the new one.
      </p>
      <Snippet text="cf-keygen -f host.key" what="command" />
      <TextField
        label="System"
        hint="Its host name."
        required
        maxLength={253}
        value={hostname}
        onChange={setHostname}
      />
      <TextField
        label="Public key"
        hint="What cf-keygen prints: 44 characters of base64."
        required
        maxLength={64}
        spellCheck={false}
        value={key}
        onChange={setKey}
      />
    </FormDialog>
  )
}
