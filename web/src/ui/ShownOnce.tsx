import { EyeOff } from 'lucide-react'
import type { ReactNode } from 'react'
import { Button } from './Button.tsx'
import { Dialog } from './Dialog.tsx'
import classes from './ShownOnce.module.css'
import { Snippet } from './Snippet.tsx'

/** A secret that the server does not keep: whoever closes this without having copied it has to make another. */
export function ShownOnce({
  title,
  what,
  secret,
  children,
  onClose,
}: {
  title: string
  what: string
  secret: string
  children?: ReactNode
  onClose: () => void
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <div className={classes.content}>
        {children}
        <Snippet text={secret} what={what} />
        <p className={classes.warning}>
          <EyeOff aria-hidden size={16} /> It is shown this once. The server keeps only its hash.
        </p>
        <div className={classes.buttons}>
          <Button look="main" onClick={onClose}>
            Done
          </Button>
        </div>
      </div>
    </Dialog>
  )
}
