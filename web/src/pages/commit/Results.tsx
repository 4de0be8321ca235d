import type { Answer } from '../../api/client.ts'
import { usePages } from '../../api/pages.ts'
import { READ_AGAIN_MS } from '../../api/queries.ts'
import { Empty } from '../../ui/Empty.tsx'
import { isUnderWay } from '../../ui/evaluation-states.ts'
import { Loaded } from '../../ui/Loaded.tsx'
import { More } from '../../ui/More.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Table } from '../../ui/Table.tsx'
import { CONFIGURATION, EVALUATED, OUTCOME } from '../evaluations/columns.tsx'
import { PROGRESS_MS } from './progress.ts'

type CommitAnswer = Answer<'getCommit'>

const COLUMNS = [CONFIGURATION, ...OUTCOME, EVALUATED]

/** What each configuration evaluates to at the commit; those that failed first. */
export function Results({ commit }: { commit: CommitAnswer }) {
  const { succeeded, failed, status } = commit
  if (succeeded + failed === 0)
    return (
      <Panel title="Configurations" flush>
        <Empty title="No configuration has a result yet">
          <p>
            {isUnderWay(status)
              ? 'Each appears here as soon as it is evaluated.'
              : 'Evaluate the commit to see what each comes to.'}
          </p>
        </Empty>
      </Panel>
    )
  return (
    <>
      {failed > 0 && <ResultsOf commit={commit} status="failed" />}
      {succeeded > 0 && <ResultsOf commit={commit} status="succeeded" />}
    </>
  )
}

function ResultsOf({ commit, status }: { commit: CommitAnswer; status: 'failed' | 'succeeded' }) {
  const pages = usePages(
    'listEvaluations',
    { query: { flake: commit.flake_id, commit: commit.sha, status, limit: 100 } },
    { again: isUnderWay(commit.status) ? PROGRESS_MS : READ_AGAIN_MS },
  )
  const title = `Configurations: ${commit[status].toLocaleString()} ${status}`
  return (
    <Panel title={title} flush>
      <Loaded from={pages}>
        {({ pages: read }) => (
          <Table
            label={title}
            columns={COLUMNS}
            rows={read.flatMap((page) => page.evaluations)}
            keyOf={({ id }) => id}
          />
        )}
      </Loaded>
      <More pages={pages} />
    </Panel>
  )
}
