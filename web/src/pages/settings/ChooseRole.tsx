import { Field } from '../../ui/Field.tsx'
import { isRole, type Role, ROLES } from './roles.ts'

export function ChooseRole({ value, onChange }: { value: Role; onChange: (role: Role) => void }) {
  return (
    <Field label="Role" hint={`It ${ROLES[value]}.`}>
      {(tie) => (
        <select
          {...tie}
          value={value}
          onChange={({ target }) => {
            if (isRole(target.value)) onChange(target.value)
          }}
        >
          {Object.keys(ROLES).map((role) => (
            <option key={role} value={role}>
              {role}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
