import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useMay } from '../../access/may.ts'
import type { Answer } from '../../api/client.ts'
import { usePages } from '../../api/pages.ts'
import { useChange, useRead } from '../../api/queries.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Button } from '../../ui/Button.tsx'
import { Confirm } from '../../ui/Confirm.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Facts } from '../../ui/Facts.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Message } from '../../ui/Message.tsx'
import { More } from '../../ui/More.tsx'
import { Page } from '../../ui/Page.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { ProblemNote } from '../../ui/ProblemNote.tsx'
import { Time } from '../../ui/Time.tsx'
import { CommitTable } from './CommitTable.tsx'

export function Flake() {
  const { id: text } = useParams({ from: '/shell/flakes/$id' })
  const id = Number(text)
  const flake = useRead('getFlake', { params: { id } })
  const above = <Link to="/flakes">Flakes</Link>
  if (flake.data === undefined)
    return (
      <Page title={`Flake ${text}`} above={above}>
        <Loaded from={flake}>{() => null}</Loaded>
      </Page>
    )
  return (
    <Page title={flake.data.url} above={above} actions={<Actions flake={flake.data} />}>
      <Panel title="How it is followed">
        <Settings flake={flake.data} />
      </Panel>
      <Commits id={id} />
    </Page>
  )
}

function Actions({ flake }: { flake: Answer<'getFlake'> }) {
  const mayNot = useMay('operator')
  const navigate = useNavigate()
  const sync = useChange('syncFlake')
  const archive = useChange('archiveFlake')
  const params = { id: flake.id }
  const isArchived = flake.archived_at === null ? null : 'It is not followed any more'
  const whyNotRemoved = flake.declared
    ? 'It is declared in the configuration: take it out there'
    : flake.systems > 0
      ? `${sayCompared(flake.systems)} with it: give ${flake.systems === 1 ? 'it' : 'them'} another flake first`
      : null
  return (
    <>
      <Button
        busy={sync.isPending}
        disabledReason={mayNot ?? isArchived}
        onClick={() => sync.mutate({ params })}
      >
        Ask Git now
      </Button>
      <Confirm
        look="danger"
        question={`Follow ${flake.url} no longer?`}
        does="Follow no longer"
        about={<p>What is known of its commits stays, and it can be followed again.</p>}
        disabledReason={mayNot ?? isArchived ?? whyNotRemoved}
        act={async () => {
          await archive.mutateAsync({ params })
          await navigate({ to: '/flakes' })
        }}
      >
        Follow no longer
      </Confirm>
      {sync.error !== null && <ProblemNote error={sync.error} />}
    </>
  )
}

const sayCompared = (systems: number): string =>
  systems === 1 ? '1 system is compared' : `${systems.toLocaleString()} systems are compared`

function Settings({ flake }: { flake: Answer<'getFlake'> }) {
  return (
    <Facts
      of={{
        Branch: <bdi>{flake.head_branch ?? flake.branch ?? 'the default of the repository'}</bdi>,
        Systems: (
          <Link to="/systems" search={{ flake: flake.id }}>
            {flake.systems.toLocaleString()} compared with it
          </Link>
        ),
        'Commits searched': `the newest ${flake.search_depth}`,
        'Import from derivation': flake.allow_import_from_derivation ? 'allowed' : 'refused',
        Declared: flake.declared ? 'in the configuration; it cannot be changed here' : null,
        'Git was asked': flake.synced_at === null ? 'not yet' : <Time at={flake.synced_at} />,
        'Asked next': flake.archived_at === null ? <Time at={flake.next_poll_at} /> : null,
        'Not followed any more': flake.archived_at === null ? null : <Time at={flake.archived_at} />,
        'Git failed':
          flake.sync_failed_at === null ? null : (
            <>
              <Badge tone="bad">Failed</Badge> <Time at={flake.sync_failed_at} />
              {flake.sync_error !== null && <Message of={flake.sync_error} from="Git" />}
            </>
          ),
      }}
    />
  )
}

function Commits({ id }: { id: number }) {
  const pages = usePages('listCommits', { params: { id }, query: { limit: 50 } })
  return (
    <Panel title="Commits" flush>
      <Loaded from={pages}>
        {({ pages: read }) => {
          const commits = read.flatMap((page) => page.commits)
          return commits.length === 0 ? (
            <Empty title="No commit is known yet">
              <p>An evaluator asks Git within half a minute of a push, and at every poll.</p>
            </Empty>
          ) : (
            <CommitTable flake={id} commits={commits} />
          )
        }}
      </Loaded>
      <More pages={pages} />
    </Panel>
  )
}
