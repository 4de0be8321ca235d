import { useState } from 'react'
import { useChange } from '../../api/queries.ts'
import { FormDialog } from '../../ui/FormDialog.tsx'
import { TextField } from '../../ui/TextField.tsx'
import { ChooseRole } from './ChooseRole.tsx'
import { PasswordLink } from './PasswordLink.tsx'
import type { Role } from './roles.ts'

/** Adds somebody, who then chooses a password by the link that is shown. */
export function AddUser({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('')
  const [shown, setShown] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const add = useChange('addUser')
  const link = add.data?.password_link
  if (link !== undefined)
    return <PasswordLink name={add.data?.user.name ?? ''} link={link} onClose={onClose} />
  return (
    <FormDialog
      title="Add a user"
      does="Add"
      change={add}
      onClose={onClose}
      onSubmit={() => add.mutate({ body: { name: name.trim(), display_name: shown.trim(), role } })}
    >
      <TextField
        label="Name"
        hint="What is signed in with; it stays."
        required
        maxLength={128}
        value={name}
        onChange={setName}
      />
      <TextField label="Shown as" hint="May be left out." maxLength={128} value={shown} onChange={setShown} />
      <ChooseRole value={role} onChange={setRole} />
    </FormDialog>
  )
}
