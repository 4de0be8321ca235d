import { Link } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { Time } from '../../ui/Time.tsx'
import { sayKind, searchFor, SEVERITY } from './attention-kinds.ts'
import classes from './Overview.module.css'

type Item = Answer<'listAttention'>['items'][number]

/** What needs somebody now, the worst first. */
export function Attention() {
  const attention = useRead('listAttention', { query: { limit: 10, each: 3 } })
  return (
    <Panel title="Needs attention" flush>
      <Loaded from={attention} skeleton={<Skeleton lines={8} />}>
        {({ items, kinds }) =>
          items.length === 0 ? (
            <Empty title="Nothing needs attention" />
          ) : (
            <>
              <div className={classes.kinds}>
                {kinds.map(({ kind, severity, count }) => (
                  <KindLink key={kind} kind={kind}>
                    <Badge tone={SEVERITY[severity].tone}>
                      {count.toLocaleString()} {sayKind(kind).toLowerCase()}
                    </Badge>
                  </KindLink>
                ))}
              </div>
              <table>
                <thead>
                  <tr>
                    <th scope="col">Severity</th>
                    <th scope="col">What</th>
                    <th scope="col">Where</th>
                    <th scope="col">Since</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((item) => (
                    <tr key={`${item.kind} ${item.hostname} ${item.flake?.id}`}>
                      <td>
                        <Badge tone={SEVERITY[item.severity].tone}>{SEVERITY[item.severity].text}</Badge>
                      </td>
                      <td>{sayKind(item.kind)}</td>
                      <td className={classes.what}>
                        <Where item={item} />
                      </td>
                      <td className={classes.time}>
                        <Time at={item.since} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </>
          )
        }
      </Loaded>
    </Panel>
  )
}

function KindLink({ kind, children }: { kind: Item['kind']; children: React.ReactNode }) {
  const search = searchFor(kind)
  if (kind === 'key_pending') return <Link to="/enrolment">{children}</Link>
  if (search === null) return <Link to="/flakes">{children}</Link>
  return (
    <Link to="/systems" search={search}>
      {children}
    </Link>
  )
}

function Where({ item: { hostname, environment, flake } }: { item: Item }) {
  if (hostname !== null)
    return (
      <>
        <Link to="/systems/$hostname" params={{ hostname }}>
          {hostname}
        </Link>{' '}
        {environment !== null && <bdi className={classes.aside}>{environment}</bdi>}
      </>
    )
  if (flake === null) return null
  return (
    <Link to="/flakes/$id" params={{ id: String(flake.id) }}>
      <bdi>{flake.url}</bdi>
    </Link>
  )
}
