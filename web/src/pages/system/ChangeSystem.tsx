import { useState } from 'react'
import { useChange } from '../../api/queries.ts'
import { keysOf } from '../../keys.ts'
import { FormDialog } from '../../ui/FormDialog.tsx'
import { TextField } from '../../ui/TextField.tsx'
import type { SystemAnswer } from './system-answer.ts'

const FIELDS = {
  environment: { label: 'Environment', hint: 'A word that lists are filtered by.', maxLength: 256 },
  flake_url: {
    label: 'Flake',
    hint: 'Says what it has to run. As in flake inputs: github:yourorg/nixos-configs, git+https://…',
    maxLength: 2048,
  },
  configuration: {
    label: 'Configuration',
    hint: 'The name below nixosConfigurations. Empty: its host name.',
    maxLength: 256,
  },
  pinned_path: {
    label: 'Pinned path',
    hint: 'A store path that it has to run whatever the flake says: /nix/store/…',
    maxLength: 255,
  },
} as const
type FieldName = keyof typeof FIELDS

/** The form for what is said of a system; only what differs is sent. */
export function ChangeSystem({ system: current, onClose }: { system: SystemAnswer; onClose: () => void }) {
  // as it was when the form was filled: what somebody else changes meanwhile is not changed back
  const [system] = useState(current)
  const [values, setValues] = useState<Record<FieldName, string>>({
    environment: system.environment ?? '',
    flake_url: system.flake_url ?? '',
    configuration: system.configuration ?? '',
    pinned_path: system.pinned_path ?? '',
  })
  const change = useChange('changeSystem')
  const changes = changesOf(system, values)
  const nothing = Object.keys(changes).length === 0 ? 'Nothing differs' : null
  return (
    <FormDialog
      title={`Change ${system.hostname}`}
      does="Save"
      change={change}
      disabledReason={nothing}
      onClose={onClose}
      onSubmit={() =>
        change.mutate({ params: { hostname: system.hostname }, body: changes }, { onSuccess: onClose })
      }
    >
      {keysOf(FIELDS).map((name) => (
        <TextField
          key={name}
          {...FIELDS[name]}
          value={values[name]}
          onChange={(value) => setValues({ ...values, [name]: value })}
        />
      ))}
    </FormDialog>
  )
}

function changesOf(
  system: SystemAnswer,
  values: Record<FieldName, string>,
): Partial<Record<FieldName, string | null>> {
  const changes: Partial<Record<FieldName, string | null>> = {}
  for (const name of keysOf(FIELDS)) {
    const value = values[name].trim()
    if (value !== (system[name] ?? '')) changes[name] = value === '' ? null : value
  }
  return changes
}
