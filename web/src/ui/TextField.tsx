import type { ComponentProps } from 'react'
import { Field } from './Field.tsx'

/** A line of text with its name; what else an input can be told is passed on. */
export function TextField({
  label,
  hint,
  value,
  onChange,
  ...input
}: Omit<ComponentProps<'input'>, 'value' | 'onChange'> & {
  label: string
  hint?: string
  value: string
  onChange: (value: string) => void
}) {
  return (
    <Field label={label} hint={hint}>
      {(tie) => (
        <input
          autoComplete="off"
          {...input}
          {...tie}
          value={value}
          onChange={({ target }) => onChange(target.value)}
        />
      )}
    </Field>
  )
}
