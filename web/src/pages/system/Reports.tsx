import { Link } from '@tanstack/react-router'
import { usePages } from '../../api/pages.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { More } from '../../ui/More.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Time } from '../../ui/Time.tsx'
import { chainOf, REASONS } from '../report/texts.ts'
import type { SystemAnswer } from './system-answer.ts'

/** Its signed reports, newest first, each of which is one click from its verification. */
export function Reports({ system: { hostname } }: { system: SystemAnswer }) {
  const pages = usePages('listReports', { params: { hostname }, query: { limit: 50 } })
  return (
    <Panel title="Signed reports" flush>
      <Loaded from={pages}>
        {({ pages: read }) => {
          const reports = read.flatMap((page) => page.reports)
          if (reports.length === 0)
            return (
              <Empty title="It has not reported yet">
                <p>Its first report comes when its agent starts.</p>
              </Empty>
            )
          return (
            <table>
              <thead>
                <tr>
                  <th scope="col">Report</th>
                  <th scope="col">Received</th>
                  <th scope="col">Made because</th>
                  <th scope="col">Chain</th>
                  <th scope="col">Sequence</th>
                  <th scope="col">Protocol</th>
                </tr>
              </thead>
              <tbody>
                {reports.map(({ id, received_at: received, reason, chain, sequence, protocol }) => {
                  const place = chainOf(chain)
                  return (
                    <tr key={id}>
                      <td>
                        <Link to="/reports/$digest" params={{ digest: id }} title={id}>
                          <code>{id.slice('sha256:'.length, 19)}</code>
                        </Link>
                      </td>
                      <td>
                        <Time at={received} />
                      </td>
                      <td>{REASONS[reason] ?? reason}</td>
                      <td>
                        <Badge tone={place.tone} icon={place.icon} hint={place.hint}>
                          {place.text}
                        </Badge>
                      </td>
                      <td>{sequence}</td>
                      <td>{protocol}</td>
                    </tr>
                  )
                })}
              </tbody>
            </table>
          )
        }}
      </Loaded>
      <More pages={pages} />
    </Panel>
  )
}
