import type { Answer } from '../../api/client.ts'
import { Empty } from '../../ui/Empty.tsx'
import { isUnderWay } from '../../ui/evaluation-states.ts'
import { Panel } from '../../ui/Panel.tsx'
import { Table } from '../../ui/Table.tsx'
import { CONFIGURATION, EVALUATED, OUTCOME } from '../evaluations/columns.tsx'

const COLUMNS = [CONFIGURATION, ...OUTCOME, EVALUATED]

/** What each configuration evaluates to at the commit; those that failed first. */
export function Results({ commit }: { commit: Answer<'getCommit'> }) {
  const results = commit.evaluations.toSorted(
    (a, b) => Number(a.status === 'succeeded') - Number(b.status === 'succeeded'),
  )
  return (
    <Panel title="Configurations" flush>
      {results.length === 0 ? (
        <Empty title="No configuration has a result yet">
          <p>
            {isUnderWay(commit.status)
              ? 'Each appears here as soon as it is evaluated.'
              : 'Evaluate the commit to see what each comes to.'}
          </p>
        </Empty>
      ) : (
        <Table label="Configurations" columns={COLUMNS} rows={results} keyOf={({ id }) => id} />
      )}
    </Panel>
  )
}
