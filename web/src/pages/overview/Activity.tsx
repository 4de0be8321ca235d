import { Link } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import { isKeyOf, recordOf } from '../../keys.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { DRIFT, FLAGS } from '../../ui/states.ts'
import { Time } from '../../ui/Time.tsx'
import classes from './Overview.module.css'

type Entry = Answer<'listActivity'>['entries'][number]

/** What happened lately in the whole fleet. */
export function Activity() {
  const activity = useRead('listActivity', { query: { limit: 15 } })
  return (
    <Loaded from={activity}>
      {({ entries }) =>
        entries.length === 0 ? (
          <Empty title="Nothing has happened yet" />
        ) : (
          <table>
            <thead className="visually-hidden">
              <tr>
                <th scope="col">What</th>
                <th scope="col">When</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <tr key={entry.id}>
                  <td className={classes.what}>
                    <Who entry={entry} /> {sayEntry(entry)}
                  </td>
                  <td className={classes.time}>
                    <Time at={entry.at} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )
      }
    </Loaded>
  )
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

function sayEntry({ kind, details }: Entry): string {
  const { to, flag, status } = recordOf(details)
  if (kind === 'drift') return `became ${nameOf(DRIFT, to)}`
  if (kind === 'flag_raised') return `was flagged: ${nameOf(FLAGS, flag)}`
  if (kind === 'flag_ended') return `is not flagged any more: ${nameOf(FLAGS, flag)}`
  if (kind === 'head') return 'is the newest commit'
  return `was evaluated${status === 'failed' ? ', and failed' : ''}`
}

function nameOf(shown: Record<string, { text: string }>, name: unknown): string {
  return isKeyOf(shown, name) ? (shown[name]?.text ?? name).toLowerCase() : 'something else'
}
