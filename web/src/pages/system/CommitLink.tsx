import { Link } from '@tanstack/react-router'
import classes from './System.module.css'
import type { DriftAnswer } from './system-answer.ts'

/** A commit that decides the drift of a system of the flake, with its subject. */
export function CommitLink({
  flake,
  commit: { flake_id: own, sha, subject, position },
}: {
  flake: number | null
  commit: NonNullable<DriftAnswer['head_commit']>
}) {
  const aside = own !== flake ? ' (of another flake)' : position === null ? ' (not on the branch)' : null
  return (
    <p className={classes.commit}>
      <Link to="/flakes/$id/commits/$sha" params={{ id: String(own), sha }}>
        <code>{sha.slice(0, 10)}</code>
      </Link>{' '}
      <bdi title={subject ?? undefined}>{subject}</bdi>
      {aside}
    </p>
  )
}
