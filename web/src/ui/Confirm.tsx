import { type ReactNode, useState } from 'react'
import { Button, type ButtonProps } from './Button.tsx'
import classes from './Confirm.module.css'
import { Dialog } from './Dialog.tsx'
import { ProblemNote } from './ProblemNote.tsx'

/** A button whose act is asked about before it is done; the dialog stays when it fails, and says why. */
export function Confirm({
  question,
  act,
  does,
  children,
  ...button
}: Omit<ButtonProps, 'onClick'> & {
  question: string
  /** What is done, as the button in the dialog says it. */
  does: string
  act: () => Promise<unknown>
  /** What there is to know before. */
  about?: ReactNode
}) {
  const [open, setOpen] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error | null>(null)
  const { about, look, ...rest } = button
  const ask = (): void => {
    setError(null)
    setOpen(true)
  }
  const run = async (): Promise<void> => {
    setBusy(true)
    setError(null)
    try {
      await act()
      setOpen(false)
    } catch (cause) {
      setError(cause instanceof Error ? cause : new Error(String(cause)))
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <Button {...rest} {...(look !== undefined && { look })} onClick={ask}>
        {children}
      </Button>
      {open && (
        <Dialog title={question} onClose={() => setOpen(false)}>
          <div className={classes.content}>
            {about}
            {error !== null && <ProblemNote error={error} />}
            <div className={classes.buttons}>
              <Button onClick={() => setOpen(false)}>Cancel</Button>
              <Button look={look === 'danger' ? 'danger' : 'main'} busy={busy} onClick={() => void run()}>
                {does}
              </Button>
            </div>
          </div>
        </Dialog>
      )}
    </>
  )
}
