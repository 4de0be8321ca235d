import { Link } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import { usePages } from '../../api/pages.ts'
import { Badge, type Tone } from '../../ui/Badge.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { StorePath } from '../../ui/Mono.tsx'
import { More } from '../../ui/More.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { sayChanged } from '../flakes/CommitTable.tsx'
import classes from './Commit.module.css'

type Change = Answer<'listCommitChanges'>['changes'][number]

const SHOWN: Record<Change['change'], { tone: Tone; text: string }> = {
  changed: { tone: 'info', text: 'Changes' },
  added: { tone: 'good', text: 'Is new' },
  removed: { tone: 'warn', text: 'Is gone' },
  broken: { tone: 'bad', text: 'Breaks' },
  repaired: { tone: 'good', text: 'Is repaired' },
}

/** What the commit does to the systems: each configuration whose system is another than before. */
export function Changes({ commit }: { commit: Answer<'getCommit'> }) {
  const pages = usePages('listCommitChanges', {
    params: { sha: commit.sha },
    query: { flake: commit.flake_id, limit: 100 },
  })
  const said = sayChanged(commit)
  return (
    <Panel title={said === '–' ? 'What it changes' : `What it changes: ${said}`} flush>
      <Loaded from={pages}>
        {({ pages: [first, ...rest] }) => {
          if (first === undefined || !first.known)
            return (
              <Empty title="Not known yet">
                <p>Both this commit and the one before it have to be evaluated.</p>
              </Empty>
            )
          const changes = [first, ...rest].flatMap((page) => page.changes)
          if (changes.length === 0) return <Empty title="It changes no system" />
          return <ChangeTable changes={changes} />
        }}
      </Loaded>
      <More pages={pages} />
    </Panel>
  )
}

function ChangeTable({ changes }: { changes: Change[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Configuration</th>
          <th scope="col">What becomes of it</th>
          <th scope="col">Systems</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {changes.map(({ configuration, change, before, after, systems, hostnames }) => (
          <tr key={configuration}>
            <td>
              <bdi>{configuration}</bdi>
            </td>
            <td>
              <Badge tone={SHOWN[change].tone}>{SHOWN[change].text}</Badge>
            </td>
            <td className={classes.hosts}>
              {hostnames.map((hostname, index) => (
                <span key={hostname}>
                  {index > 0 && ', '}
                  <Link to="/systems/$hostname" params={{ hostname }}>
                    {hostname}
                  </Link>
                </span>
              ))}
              {systems > hostnames.length && ` and ${systems - hostnames.length} more`}
              {systems === 0 && 'none'}
            </td>
            <td className={classes.path}>{before === null ? '–' : <StorePath path={before} />}</td>
            <td className={classes.path}>{after === null ? '–' : <StorePath path={after} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
