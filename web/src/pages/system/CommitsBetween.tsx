import { Link } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { ProblemNote } from '../../ui/ProblemNote.tsx'
import { Time } from '../../ui/Time.tsx'
import classes from './System.module.css'
import type { SystemAnswer } from './system-answer.ts'

type Commits = Answer<'listDesiredCommits'>

/** The commits between what it runs and what it should run, where there are any. */
export function CommitsBetween({ system: { hostname, flake_id: flake } }: { system: SystemAnswer }) {
  const { data, error, refetch, isFetching } = useRead('listDesiredCommits', { params: { hostname } })
  if (error !== null && data === undefined)
    return <ProblemNote error={error} busy={isFetching} retry={() => void refetch()} />
  if (data === undefined || data.total === null || data.total === 0 || flake === null) return null
  return (
    <Panel title={titleOf(data)} flush>
      <table>
        <thead>
          <tr>
            <th scope="col">Commit</th>
            <th scope="col">This system</th>
            <th scope="col">Arrived</th>
          </tr>
        </thead>
        <tbody>
          {data.commits.map(({ sha, subject, author, arrived_at: arrived, changes }) => (
            <tr key={sha}>
              <td className={classes.subject}>
                <Link to="/flakes/$id/commits/$sha" params={{ id: String(flake), sha }}>
                  <code>{sha.slice(0, 10)}</code>
                </Link>{' '}
                <bdi title={author ?? undefined}>{subject}</bdi>
              </td>
              <td>
                <Badge tone={changes === true ? 'info' : 'quiet'}>
                  {changes === null ? 'Not known' : changes ? 'Changes' : 'Stays the same'}
                </Badge>
              </td>
              <td>
                <Time at={arrived} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {data.total > data.commits.length && (
        <p className={classes.note}>The newest {data.commits.length} are shown.</p>
      )}
    </Panel>
  )
}

function titleOf({ total, changing }: Commits): string {
  const commits = `${total ?? 0} ${total === 1 ? 'commit' : 'commits'} between`
  return changing === null
    ? commits
    : `${commits}, ${changing} ${changing === 1 ? 'changes' : 'change'} this system`
}
