import { Link } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import type { usePages } from '../../api/pages.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { More } from '../../ui/More.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Time } from '../../ui/Time.tsx'
import { factAt } from './fact-names.ts'
import { FactValue } from './FactValue.tsx'
import classes from './System.module.css'

type Change = Answer<'listFactChanges'>['reports'][number]['changes'][number]

/** How the facts changed from report to report, newest first. */
export function FactChanges({ pages }: { pages: ReturnType<typeof usePages<'listFactChanges'>> }) {
  return (
    <Panel title="What changed, from report to report" flush>
      <Loaded from={pages}>
        {({ pages: read }) => {
          const reports = read.flatMap((page) => page.reports)
          if (reports.length === 0) return <Empty title="No fact has changed" />
          return (
            <table className={classes.changes}>
              <thead>
                <tr>
                  <th scope="col">Fact</th>
                  <th scope="col">Before</th>
                  <th scope="col">After</th>
                </tr>
              </thead>
              {reports.map(({ report_id: id, observed_at: observed, changes }) => (
                <tbody key={id}>
                  <tr>
                    <th scope="rowgroup" colSpan={3}>
                      <Link to="/reports/$digest" params={{ digest: id }}>
                        Reported <Time at={observed} />
                      </Link>
                    </th>
                  </tr>
                  {changes.map((change) => (
                    <ChangeRow key={change.path} change={change} />
                  ))}
                </tbody>
              ))}
            </table>
          )
        }}
      </Loaded>
      <More pages={pages} />
    </Panel>
  )
}

function ChangeRow({ change: { path, before, after } }: { change: Change }) {
  const { name, kind } = factAt(path)
  return (
    <tr>
      <td>{name}</td>
      <td>
        <FactValue value={before} kind={kind} />
      </td>
      <td>
        <FactValue value={after} kind={kind} />
      </td>
    </tr>
  )
}
