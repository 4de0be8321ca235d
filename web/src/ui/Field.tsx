import { type ReactNode, useId } from 'react'
import classes from './Field.module.css'

/** A control with its name, what to put in, and what is wrong with what is in. */
export function Field({
  label,
  hint,
  error,
  children,
}: {
  label: string
  hint?: string | undefined
  error?: string | undefined
  /** Given what ties the control to its texts. */
  children: (tie: { id: string; 'aria-describedby': string; 'aria-invalid': boolean }) => ReactNode
}) {
  const id = useId()
  const described = `${id}-about`
  return (
    <div className={classes.field}>
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': described, 'aria-invalid': error !== undefined })}
      <div id={described} className={classes.about}>
        {hint !== undefined && <p>{hint}</p>}
        {error !== undefined && <p className={classes.error}>{error}</p>}
      </div>
    </div>
  )
}
