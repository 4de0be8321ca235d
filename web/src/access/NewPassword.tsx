import { TextField } from '../ui/TextField.tsx'

/** The server's rule (src/server/people/passwords.ts). */
export const LEAST = 12

/** A password to be chosen, with the rule for it. */
export function NewPassword({
  value,
  onChange,
  label = 'Password',
}: {
  value: string
  onChange: (value: string) => void
  label?: string
}) {
  return (
    <TextField
      label={label}
      hint={`At least ${LEAST} characters; several words are easy to keep in mind.`}
      required
      type="password"
      autoComplete="new-password"
      minLength={LEAST}
      maxLength={256}
      value={value}
      onChange={onChange}
    />
  )
}
