import { Link } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import { usePages } from '../../api/pages.ts'
import { Badge, type Tone } from '../../ui/Badge.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { StorePath } from '../../ui/Mono.tsx'
import { More } from '../../ui/More.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { sayChanged } from '../flakes/CommitTable.tsx'

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
          return (
            <Table
              label="What it changes"
              columns={COLUMNS}
              rows={changes}
              keyOf={({ configuration }) => configuration}
            />
          )
        }}
      </Loaded>
      <More pages={pages} />
    </Panel>
  )
}

const COLUMNS: readonly Column<Change>[] = [
  { head: 'Configuration', cell: ({ configuration }) => <bdi>{configuration}</bdi> },
  {
    head: 'What becomes of it',
    cell: ({ change }) => <Badge tone={SHOWN[change].tone}>{SHOWN[change].text}</Badge>,
  },
  { head: 'Systems', cell: (change) => <Hosts of={change} /> },
  { head: 'Before', cell: ({ before }) => (before === null ? '–' : <StorePath path={before} />) },
  { head: 'After', cell: ({ after }) => (after === null ? '–' : <StorePath path={after} />) },
]

function Hosts({ of: { systems, hostnames } }: { of: Change }) {
  if (systems === 0) return 'none'
  return (
    <>
      {hostnames.map((hostname, index) => (
        <span key={hostname}>
          {index > 0 && ', '}
          <Link to="/systems/$hostname" params={{ hostname }}>
            {hostname}
          </Link>
        </span>
      ))}
      {systems > hostnames.length && ` and ${(systems - hostnames.length).toLocaleString()} more`}
    </>
  )
}
