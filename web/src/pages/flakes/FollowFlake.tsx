import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useChange } from '../../api/queries.ts'
import { Field } from '../../ui/Field.tsx'
import { FormDialog } from '../../ui/FormDialog.tsx'

/** The form that has a flake followed. */
export function FollowFlake({ onClose }: { onClose: () => void }) {
  const [url, setUrl] = useState('')
  const [branch, setBranch] = useState('')
  const navigate = useNavigate()
  const add = useChange('addFlake')
  const submit = (): void =>
    add.mutate(
      { body: { url: url.trim(), ...(branch.trim() !== '' && { branch: branch.trim() }) } },
      { onSuccess: ({ id }) => void navigate({ to: '/flakes/$id', params: { id: String(id) } }) },
    )
  return (
    <FormDialog title="Follow a flake" does="Follow" change={add} onSubmit={submit} onClose={onClose}>
      <Field
        label="Address"
        hint="As in flake inputs: github:yourorg/nixos-configs, git+https://…, git+ssh://…, with ?dir= when it is in a folder."
      >
        {(tie) => (
          <input
            {...tie}
            required
            maxLength={2048}
            value={url}
            onChange={({ target }) => setUrl(target.value)}
          />
        )}
      </Field>
      <Field label="Branch" hint="Empty: the branch that the repository names as its default.">
        {(tie) => (
          <input {...tie} maxLength={255} value={branch} onChange={({ target }) => setBranch(target.value)} />
        )}
      </Field>
    </FormDialog>
  )
}
