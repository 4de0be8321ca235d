import type { ReactNode } from 'react'
import { Button } from './Button.tsx'
import { Dialog } from './Dialog.tsx'
import classes from './FormDialog.module.css'
import { ProblemNote } from './ProblemNote.tsx'

/** A form over the page; it stays when what it does fails, and says why. */
export function FormDialog({
  title,
  does,
  change,
  disabledReason,
  onSubmit,
  onClose,
  children,
}: {
  title: string
  /** What is done, as the button says it. */
  does: string
  change: { isPending: boolean; error: Error | null }
  /** Why it cannot be done now. */
  disabledReason?: string | null
  onSubmit: () => void
  onClose: () => void
  children: ReactNode
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault()
          onSubmit()
        }}
      >
        {children}
        {change.error !== null && <ProblemNote error={change.error} />}
        <div className={classes.buttons}>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="main" busy={change.isPending} disabledReason={disabledReason}>
            {does}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
