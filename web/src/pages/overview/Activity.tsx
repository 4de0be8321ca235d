import { Link } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import { isKeyOf, recordOf } from '../../keys.ts'
import { Empty } from '../../ui/Empty.tsx'
import { COMMIT } from '../../ui/evaluation-states.ts'
import { Loaded } from '../../ui/Loaded.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { DRIFT, FLAGS, type Shown } from '../../ui/states.ts'
import { Time } from '../../ui/Time.tsx'
import classes from './Lists.module.css'

type Entry = Answer<'listActivity'>['entries'][number]

/** What happened lately in the whole fleet. */
export function Activity() {
  const activity = useRead('listActivity', { query: { limit: 12 } })
  return (
    <Panel title="Activity" flush>
      <Loaded from={activity} skeleton={<Skeleton lines={12} />}>
        {({ entries }) =>
          entries.length === 0 ? (
            <Empty title="Nothing has happened yet">
              <p>What hosts report and commits change appears here by itself.</p>
            </Empty>
          ) : (
            <ol className={classes.items}>
              {entries.map((entry) => (
                <li key={entry.id} className={classes.entry}>
                  <p className={classes.words}>
                    <Said entry={entry} />
                  </p>
                  <p className={classes.time}>
                    <Time at={entry.at} />
                  </p>
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
    </Panel>
  )
}

function Said({ entry }: { entry: Entry }) {
  const { kind, systems, details } = entry
  const { to, flag, status } = recordOf(details)
  const many = systems > 1
  if (kind === 'drift')
    return (
      <>
        <Who entry={entry} /> became <State of={DRIFT} name={to} />
      </>
    )
  if (kind === 'flag_raised' || kind === 'flag_ended')
    return (
      <>
        <Who entry={entry} /> {many ? 'are' : 'is'}{' '}
        {kind === 'flag_raised' ? 'flagged' : 'not flagged any more'} <State of={FLAGS} name={flag} />
      </>
    )
  return (
    <>
      {kind === 'head' ? 'Newest commit' : <State of={COMMIT} name={status} />} <Who entry={entry} />
    </>
  )
}

function State({ of, name }: { of: Record<string, Shown>; name: unknown }) {
  const state = isKeyOf(of, name) ? of[name] : undefined
  return state === undefined ? null : <StateBadge state={state} />
}

function Who({ entry: { hostnames, systems, flake, commit } }: { entry: Entry }) {
  const [hostname] = hostnames
  if (hostname !== undefined)
    return (
      <>
        <Link to="/systems/$hostname" params={{ hostname }}>
          {hostname}
        </Link>
        {systems > 1 && ` and ${(systems - 1).toLocaleString()} more`}
      </>
    )
  if (flake === null) return 'The fleet'
  if (commit === null)
    return (
      <Link to="/flakes/$id" params={{ id: String(flake.id) }}>
        <bdi>{flake.url}</bdi>
      </Link>
    )
  return (
    <>
      <Link to="/flakes/$id/commits/$sha" params={{ id: String(flake.id), sha: commit.sha }}>
        <code>{commit.sha.slice(0, 10)}</code>
      </Link>{' '}
      <bdi>{commit.subject}</bdi>
    </>
  )
}
