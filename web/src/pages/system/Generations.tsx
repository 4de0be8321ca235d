import { Link } from '@tanstack/react-router'
import { usePages } from '../../api/pages.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { StorePath } from '../../ui/Mono.tsx'
import { More } from '../../ui/More.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Time } from '../../ui/Time.tsx'
import classes from './System.module.css'
import type { SystemAnswer } from './system-answer.ts'

/** The generations that its system profile had, as its reports say it. */
export function Generations({ system: { hostname } }: { system: SystemAnswer }) {
  const pages = usePages('listGenerations', { params: { hostname }, query: {} })
  return (
    <Panel title="Generations of the system profile" flush>
      <Loaded from={pages}>
        {({ pages: read }) => {
          const generations = read.flatMap((page) => page.generations)
          if (generations.length === 0)
            return (
              <Empty title="No generation is known">
                <p>Its reports say which generation its system profile has.</p>
              </Empty>
            )
          return (
            <table>
              <thead>
                <tr>
                  <th scope="col">Generation</th>
                  <th scope="col">Profile</th>
                  <th scope="col">Set</th>
                  <th scope="col">First reported</th>
                  <th scope="col">Last reported</th>
                </tr>
              </thead>
              <tbody>
                {generations.map((each) => (
                  <tr key={each.report_id}>
                    <td>{each.generation ?? 'unknown'}</td>
                    <td className={classes.path}>
                      {each.profile === null ? 'unknown' : <StorePath path={each.profile} />}
                    </td>
                    <td>{each.changed_at === null ? 'unknown' : <Time at={each.changed_at} />}</td>
                    <td>
                      <Link to="/reports/$digest" params={{ digest: each.report_id }}>
                        <Time at={each.first_observed_at} />
                      </Link>
                    </td>
                    <td>
                      <Time at={each.last_observed_at} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }}
      </Loaded>
      <More pages={pages} />
    </Panel>
  )
}
