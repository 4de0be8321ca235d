import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import { usePages } from '../../api/pages.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { More } from '../../ui/More.tsx'
import { Page } from '../../ui/Page.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { sayDuration } from '../../ui/Time.tsx'
import { CONFIGURATION, EVALUATED, OUTCOME } from './columns.tsx'
import { type EvaluationsSearch, evaluationsSearch } from './search.ts'

const COLUMNS: readonly Column<Answer<'listEvaluations'>['evaluations'][number]>[] = [
  CONFIGURATION,
  {
    head: 'Commit',
    cell: ({ flake_id: flake, sha }) => (
      <Link to="/flakes/$id/commits/$sha" params={{ id: String(flake), sha }}>
        <code>{sha.slice(0, 10)}</code>
      </Link>
    ),
  },
  ...OUTCOME,
  { head: 'Took', cell: ({ duration_ms: ms }) => sayDuration(ms) },
  EVALUATED,
]

export function Evaluations() {
  const search = useSearch({ from: '/shell/evaluations' })
  const navigate = useNavigate({ from: '/evaluations' })
  const pages = usePages('listEvaluations', { query: { ...search, limit: 100 } })
  const { status, configuration } = search
  const choose = (chosen: string): void =>
    void navigate({ search: evaluationsSearch({ configuration, status: chosen }), replace: true })
  return (
    <Page title="Evaluations">
      <Panel
        title={
          configuration === undefined ? 'Configurations at their commits' : `${configuration} at its commits`
        }
        flush
        actions={
          <>
            {configuration !== undefined && (
              <Link to="/evaluations" search={evaluationsSearch({ status })}>
                All configurations
              </Link>
            )}
            <select
              aria-label="Result"
              value={status ?? 'all'}
              onChange={({ target }) => choose(target.value)}
            >
              <option value="all">All results</option>
              <option value="failed">Failed</option>
              <option value="succeeded">Succeeded</option>
            </select>
          </>
        }
      >
        <Loaded from={pages}>
          {({ pages: read }) => {
            const rows = read.flatMap((page) => page.evaluations)
            return rows.length === 0 ? (
              <Nothing search={search} />
            ) : (
              <Table label="Evaluations" columns={COLUMNS} rows={rows} keyOf={({ id }) => id} />
            )
          }}
        </Loaded>
        <More pages={pages} />
      </Panel>
    </Page>
  )
}

function Nothing({ search }: { search: EvaluationsSearch }) {
  if (search.status === undefined && search.configuration === undefined)
    return (
      <Empty title="Nothing is evaluated yet">
        <Link to="/flakes">Follow a flake</Link>
      </Empty>
    )
  return (
    <Empty title={search.status === 'failed' ? 'No evaluation failed' : 'No evaluation is like that'}>
      <Link to="/evaluations">Show all evaluations</Link>
    </Empty>
  )
}
