import { TriangleAlert } from 'lucide-react'
import { ApiProblem } from '../api/client.ts'
import { Button } from './Button.tsx'
import classes from './ProblemNote.module.css'

/** What went wrong, in the words of who refused it. */
export function ProblemNote({
  error,
  retry,
  busy = false,
}: {
  error: Error
  retry?: () => void
  busy?: boolean
}) {
  const document = error instanceof ApiProblem ? error.document : null
  return (
    <div className={classes.note} role="alert">
      <TriangleAlert aria-hidden size={18} />
      <div className={classes.words}>
        <strong>{document?.title ?? 'The server cannot be reached'}</strong>
        {document === null && <p>Check the network, and that the server runs.</p>}
        {document?.detail !== undefined && <p>{document.detail}</p>}
        {document?.errors !== undefined && (
          <ul>
            {document.errors.map(({ path, message }) => (
              <li key={path}>
                <code>{path}</code> {message}
              </li>
            ))}
          </ul>
        )}
      </div>
      {retry !== undefined && (
        <Button onClick={retry} busy={busy}>
          Try again
        </Button>
      )}
    </div>
  )
}
