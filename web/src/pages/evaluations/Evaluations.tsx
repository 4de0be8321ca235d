import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import { usePages } from '../../api/pages.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { RESULT, sayCause } from '../../ui/evaluation-states.ts'
import { Loaded } from '../../ui/Loaded.tsx'
import { StorePath } from '../../ui/Mono.tsx'
import { More } from '../../ui/More.tsx'
import { Page } from '../../ui/Page.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { sayDuration, Time } from '../../ui/Time.tsx'
import { evaluationsSearch } from './search.ts'

type EvaluationRow = Answer<'listEvaluations'>['evaluations'][number]

export function Evaluations() {
  const search = useSearch({ from: '/shell/evaluations' })
  const navigate = useNavigate({ from: '/evaluations' })
  const pages = usePages('listEvaluations', { query: { ...search, limit: 100 } })
  const choose = (status: string): void =>
    void navigate({
      search: {
        ...(search.configuration !== undefined && { configuration: search.configuration }),
        ...evaluationsSearch({ status }),
      },
      replace: true,
    })
  return (
    <Page title="Evaluations">
      <Panel
        title="Configurations at their commits"
        flush
        actions={
          <select
            aria-label="Result"
            value={search.status ?? 'all'}
            onChange={({ target }) => choose(target.value)}
          >
            <option value="all">All results</option>
            <option value="failed">Failed</option>
            <option value="succeeded">Succeeded</option>
          </select>
        }
      >
        <Loaded from={pages}>
          {({ pages: read }) => {
            const rows = read.flatMap((page) => page.evaluations)
            return rows.length === 0 ? (
              <Empty title={search.status === 'failed' ? 'No evaluation failed' : 'Nothing is evaluated yet'}>
                {search.status === undefined && <Link to="/flakes">Follow a flake</Link>}
              </Empty>
            ) : (
              <EvaluationTable rows={rows} />
            )
          }}
        </Loaded>
        <More pages={pages} />
      </Panel>
    </Page>
  )
}

function EvaluationTable({ rows }: { rows: EvaluationRow[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Configuration</th>
          <th scope="col">Commit</th>
          <th scope="col">Result</th>
          <th scope="col">Evaluates to</th>
          <th scope="col">Took</th>
          <th scope="col">Evaluated</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((each) => (
          <tr key={each.id}>
            <td>
              <Link to="/evaluations/$id" params={{ id: String(each.id) }}>
                <bdi>{each.configuration}</bdi>
              </Link>
            </td>
            <td>
              <Link to="/flakes/$id/commits/$sha" params={{ id: String(each.flake_id), sha: each.sha }}>
                <code>{each.sha.slice(0, 10)}</code>
              </Link>
            </td>
            <td>
              <StateBadge state={RESULT[each.status]} />{' '}
              {each.cause !== null && <Badge tone="bad">{sayCause(each.cause)}</Badge>}
            </td>
            <td>{each.out_path === null ? '–' : <StorePath path={each.out_path} />}</td>
            <td>{sayDuration(each.duration_ms)}</td>
            <td>
              <Time at={each.evaluated_at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
