import { Link } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import { Badge } from '../../ui/Badge.tsx'
import { COMMIT } from '../../ui/evaluation-states.ts'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { Time } from '../../ui/Time.tsx'
import classes from './CommitTable.module.css'

type CommitRow = Answer<'listCommits'>['commits'][number]

export function CommitTable({ flake, commits }: { flake: number; commits: CommitRow[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Commit</th>
          <th scope="col">Evaluation</th>
          <th scope="col">Changes</th>
          <th scope="col">Author</th>
          <th scope="col">Arrived</th>
        </tr>
      </thead>
      <tbody>
        {commits.map((commit) => (
          <tr key={commit.sha}>
            <td className={classes.commit}>
              <Link to="/flakes/$id/commits/$sha" params={{ id: String(flake), sha: commit.sha }}>
                <code>{commit.sha.slice(0, 10)}</code>
              </Link>{' '}
              <bdi className={classes.subject}>{commit.subject}</bdi>
            </td>
            <td className={classes.state}>
              <StateBadge state={COMMIT[commit.status]} />
              {commit.failed > 0 && <Badge tone="warn">{commit.failed} failed</Badge>}
            </td>
            <td>{sayChanged(commit)}</td>
            <td>
              <bdi className={classes.author}>{commit.author?.replace(/ <.*>$/, '')}</bdi>
            </td>
            <td className={classes.time}>
              <Time at={commit.arrived_at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** `3 of 120 change`; nothing where the commit before has no result to compare with. */
export function sayChanged({
  changed,
  configurations,
}: Pick<CommitRow, 'changed' | 'configurations'>): string {
  if (changed === null || configurations === null) return '–'
  return `${changed} of ${configurations} change${changed === 1 ? 's' : ''}`
}
