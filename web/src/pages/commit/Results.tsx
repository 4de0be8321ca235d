import { Link } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { RESULT, sayCause } from '../../ui/evaluation-states.ts'
import { StorePath } from '../../ui/Mono.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { Time } from '../../ui/Time.tsx'
import classes from './Commit.module.css'

/** What each configuration evaluates to at the commit; those that failed first. */
export function Results({ commit }: { commit: Answer<'getCommit'> }) {
  const results = commit.evaluations.toSorted(
    (a, b) => Number(a.status === 'succeeded') - Number(b.status === 'succeeded'),
  )
  return (
    <Panel title="Configurations" flush>
      {results.length === 0 ? (
        <Empty title="No configuration has a result yet" />
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Configuration</th>
              <th scope="col">Result</th>
              <th scope="col">Evaluates to</th>
              <th scope="col">Evaluated</th>
            </tr>
          </thead>
          <tbody>
            {results.map((each) => (
              <tr key={each.id}>
                <td>
                  <Link to="/evaluations/$id" params={{ id: String(each.id) }}>
                    <bdi>{each.configuration}</bdi>
                  </Link>
                </td>
                <td>
                  <StateBadge state={RESULT[each.status]} />{' '}
                  {each.cause !== null && <Badge tone="bad">{sayCause(each.cause)}</Badge>}
                </td>
                <td className={classes.path}>
                  {each.out_path === null ? '–' : <StorePath path={each.out_path} />}
                </td>
                <td>
                  <Time at={each.evaluated_at} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  )
}
