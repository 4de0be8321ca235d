import { useState } from 'react'
import { useChange } from '../../api/queries.ts'
import { Field } from '../../ui/Field.tsx'
import { FormDialog } from '../../ui/FormDialog.tsx'
import { ShownOnce } from '../../ui/ShownOnce.tsx'
import { TextField } from '../../ui/TextField.tsx'
import { ChooseRole } from './ChooseRole.tsx'
import type { Role } from './roles.ts'

const DAY = 86_400
const LASTS = { '30': '30 days', '90': '90 days', '365': 'a year', never: 'until it is revoked' }

export function MakeToken({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const [days, setDays] = useState('90')
  const create = useChange('createToken')
  if (create.data !== undefined)
    return (
      <ShownOnce title="The new token" what="token" secret={create.data.token} onClose={onClose}>
        <p>
          Send it as <code>Authorization: Bearer …</code>, or put it into <code>CRYSTAL_FORGE_TOKEN</code>.
        </p>
      </ShownOnce>
    )
  return (
    <FormDialog
      title="Make an API token"
      does="Make"
      change={create}
      onClose={onClose}
      onSubmit={() =>
        create.mutate({
          body: { name: name.trim(), role, ...(days !== 'never' && { expires_in_secs: Number(days) * DAY }) },
        })
      }
    >
      <TextField
        label="Name"
        hint="What it is for: the audit trail shows it."
        required
        maxLength={256}
        value={name}
        onChange={setName}
      />
      <ChooseRole value={role} onChange={setRole} />
      <Field label="Lasts">
        {(tie) => (
          <select {...tie} value={days} onChange={({ target }) => setDays(target.value)}>
            {Object.entries(LASTS).map(([key, text]) => (
              <option key={key} value={key}>
                {text}
              </option>
            ))}
          </select>
        )}
      </Field>
    </FormDialog>
  )
}
