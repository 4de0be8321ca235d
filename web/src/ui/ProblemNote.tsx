import { TriangleAlert } from 'lucide-react'
import { ApiProblem, Unreachable } from '../api/client.ts'
import type { Problem } from '../api/operations.generated.ts'
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
  const { title, detail, errors = [] } = wordsOf(error)
  return (
    <div className={classes.note} role="alert">
      <TriangleAlert aria-hidden size={18} />
      <div className={classes.words}>
        <strong>{title}</strong>
        {detail !== undefined && <p>{detail}</p>}
        {errors.length > 0 && (
          <ul>
            {errors.map(({ path, message }) => (
              <li key={`${path} ${message}`}>
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

function wordsOf(error: Error): Pick<Problem, 'title' | 'detail' | 'errors'> {
  if (error instanceof ApiProblem) return error.document
  if (error instanceof Unreachable)
    return { title: error.message, detail: 'Check the network, and that the server runs.' }
  return { title: 'The dashboard could not do this', detail: error.message }
}
