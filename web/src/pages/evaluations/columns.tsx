import { Link } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import { Badge } from '../../ui/Badge.tsx'
import { RESULT, sayCause } from '../../ui/evaluation-states.ts'
import { StorePath } from '../../ui/Mono.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import type { Column } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'

/** What every list of evaluations says of one. */
type Listed = Answer<'listEvaluations'>['evaluations'][number]

export const CONFIGURATION: Column<Listed> = {
  head: 'Configuration',
  cell: ({ id, configuration }) => (
    <Link to="/evaluations/$id" params={{ id: String(id) }}>
      <bdi>{configuration}</bdi>
    </Link>
  ),
}

export const OUTCOME: readonly Column<Listed>[] = [
  {
    head: 'Result',
    cell: ({ status, cause }) => (
      <>
        <StateBadge state={RESULT[status]} /> {cause !== null && <Badge tone="bad">{sayCause(cause)}</Badge>}
      </>
    ),
  },
  {
    head: 'Evaluates to',
    cell: ({ out_path: path }) => (path === null ? '–' : <StorePath path={path} />),
  },
]

export const EVALUATED: Column<Listed> = {
  head: 'Evaluated',
  cell: ({ evaluated_at: at }) => <Time at={at} />,
}
