import { useState } from 'react'
import { useChange } from '../../api/queries.ts'
import { Field } from '../../ui/Field.tsx'
import { FormDialog } from '../../ui/FormDialog.tsx'
import { Snippet } from '../../ui/Snippet.tsx'

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
      <Field label="System" hint="Its host name.">
        {(tie) => (
          <input
            {...tie}
            required
            maxLength={253}
            autoComplete="off"
            value={hostname}
            onChange={({ target }) => setHostname(target.value)}
          />
        )}
      </Field>
      <Field label="Public key" hint="What cf-keygen prints: 44 characters of base64.">
        {(tie) => (
          <input
            {...tie}
            required
            maxLength={64}
            autoComplete="off"
            spellCheck={false}
            value={key}
            onChange={({ target }) => setKey(target.value)}
          />
        )}
      </Field>
    </FormDialog>
  )
}
