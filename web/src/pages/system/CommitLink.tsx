import { Link } from '@tanstack/react-router'
import classes from './System.module.css'
import type { DriftAnswer } from './system-answer.ts'

/** A commit that decides the drift of a system of the flake, with its subject. */
export function CommitLink({
  flake,
  commit: { sha, subject, position },
}: {
  flake: number | null
  commit: Pick<NonNullable<DriftAnswer['head_commit']>, 'sha' | 'subject' | 'position'>
}) {
  const short = <code>{sha.slice(0, 10)}</code>
  return (
    <p className={classes.commit}>
      {flake === null ? (
        short
      ) : (
        <Link to="/flakes/$id/commits/$sha" params={{ id: String(flake), sha }}>
          {short}
        </Link>
      )}{' '}
      <bdi title={subject ?? undefined}>{subject}</bdi>
      {position === null && ' (not on the branch)'}
    </p>
  )
}
