import { useState } from 'react'
import { useChange } from '../../api/queries.ts'
import { Field } from '../../ui/Field.tsx'
import { FormDialog } from '../../ui/FormDialog.tsx'
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
      <Field label="Name" hint="What is signed in with; it stays.">
        {(tie) => (
          <input
            {...tie}
            required
            maxLength={128}
            autoComplete="off"
            value={name}
            onChange={({ target }) => setName(target.value)}
          />
        )}
      </Field>
      <Field label="Shown as" hint="May be left out.">
        {(tie) => (
          <input
            {...tie}
            maxLength={128}
            autoComplete="off"
            value={shown}
            onChange={({ target }) => setShown(target.value)}
          />
        )}
      </Field>
      <ChooseRole value={role} onChange={setRole} />
    </FormDialog>
  )
}
