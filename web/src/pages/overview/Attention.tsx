import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Answer } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import { recordOf } from '../../keys.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { Time } from '../../ui/Time.tsx'
import { type AttentionItem, kindShown, sayDetails, searchFor, SEVERITY } from './attention-kinds.ts'
import classes from './Lists.module.css'

const SHOWN = 12

/** What needs somebody now, the worst first. */
export function Attention() {
  const attention = useRead('listAttention', { query: { limit: SHOWN, each: 3 } })
  return (
    <Panel title="Needs attention" flush>
      <Loaded from={attention} skeleton={<Skeleton lines={24} />}>
        {(found) =>
          found.items.length === 0 ? (
            <Empty title="Nothing needs attention">
              <p>What is not as it should be appears here by itself, the worst first.</p>
            </Empty>
          ) : (
            <Items {...found} />
          )
        }
      </Loaded>
    </Panel>
  )
}

function Items({ items, kinds }: Answer<'listAttention'>) {
  return (
    <>
      <ul className={classes.kinds} aria-label="How many of each kind">
        {kinds.map(({ kind, severity, count }) => (
          <li key={kind}>
            <KindLink kind={kind}>
              <Badge tone={SEVERITY[severity].tone} icon={kindShown(kind).icon}>
                {kindShown(kind).text} <strong>{count.toLocaleString()}</strong>
              </Badge>
            </KindLink>
          </li>
        ))}
      </ul>
      <ol className={classes.items} aria-label="The worst first">
        {items.map((item) => (
          <li key={`${item.kind} ${item.hostname} ${item.flake?.id}`} className={classes.item}>
            <StateBadge state={SEVERITY[item.severity]} />
            <p className={classes.words}>
              <Where item={item} />
            </p>
            <p className={classes.time}>
              <Time at={item.since} />
            </p>
            <p className={classes.why}>
              {kindShown(item.kind).text}
              <Details item={item} />
            </p>
          </li>
        ))}
      </ol>
    </>
  )
}

function KindLink({ kind, children }: { kind: AttentionItem['kind']; children: ReactNode }) {
  const search = searchFor(kind)
  if (kind === 'key_pending') return <Link to="/enrolment">{children}</Link>
  if (search === null) return <Link to="/flakes">{children}</Link>
  return (
    <Link to="/systems" search={search}>
      {children}
    </Link>
  )
}

function Where({ item: { hostname, environment, flake } }: { item: AttentionItem }) {
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

function Details({ item }: { item: AttentionItem }) {
  const details = sayDetails(item)
  if (details === null) return null
  const words = <bdi title={details}>{details}</bdi>
  const { evaluation } = recordOf(item.details)
  return (
    <>
      {': '}
      {item.kind === 'evaluation_failed' && typeof evaluation === 'number' ? (
        <Link to="/evaluations/$id" params={{ id: String(evaluation) }}>
          {words}
        </Link>
      ) : (
        words
      )}
    </>
  )
}
