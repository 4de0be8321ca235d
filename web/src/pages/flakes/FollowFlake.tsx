import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useChange } from '../../api/queries.ts'
import { FormDialog } from '../../ui/FormDialog.tsx'
import { TextField } from '../../ui/TextField.tsx'

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
      <TextField
        label="Address"
        hint="As in flake inputs: github:yourorg/nixos-configs, git+https://…, git+ssh://…, with ?dir= when it is in a folder."
        required
        maxLength={2048}
        value={url}
        onChange={setUrl}
      />
      <TextField
        label="Branch"
        hint="Empty: the branch that the repository names as its default."
        maxLength={255}
        value={branch}
        onChange={setBranch}
      />
    </FormDialog>
  )
}
