import { Link } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import { Badge } from '../../ui/Badge.tsx'
import { COMMIT } from '../../ui/evaluation-states.ts'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import classes from './CommitTable.module.css'

type CommitRow = Answer<'listCommits'>['commits'][number]

export function CommitTable({ flake, commits }: { flake: number; commits: CommitRow[] }) {
  return <Table label="Commits" columns={columnsOf(flake)} rows={commits} keyOf={({ sha }) => sha} />
}

const columnsOf = (flake: number): readonly Column<CommitRow>[] => [
  {
    head: 'Commit',
    cell: ({ sha, subject }) => (
      <div className={classes.commit}>
        <Link to="/flakes/$id/commits/$sha" params={{ id: String(flake), sha }}>
          <code>{sha.slice(0, 10)}</code>
        </Link>{' '}
        <bdi className={classes.clamped}>{subject}</bdi>
      </div>
    ),
  },
  {
    head: 'Evaluation',
    cell: ({ status, failed }) => (
      <div className={classes.state}>
        <StateBadge state={COMMIT[status]} />
        {failed > 0 && <Badge tone="warn">{failed.toLocaleString()} failed</Badge>}
      </div>
    ),
  },
  { head: 'Changes', cell: sayChanged },
  {
    head: 'Author',
    cell: ({ author }) => <bdi className={classes.clamped}>{author?.replace(/ <.*>$/, '')}</bdi>,
  },
  { head: 'Arrived', cell: ({ arrived_at: at }) => <Time at={at} /> },
]

/** `3 of 120 change`; nothing where the commit before has no result to compare with. */
export function sayChanged({
  changed,
  configurations,
}: Pick<CommitRow, 'changed' | 'configurations'>): string {
  if (changed === null || configurations === null) return '–'
  return `${changed.toLocaleString()} of ${configurations.toLocaleString()} change${changed === 1 ? 's' : ''}`
}
