import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useMay } from '../../access/may.ts'
import type { Answer } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Button } from '../../ui/Button.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { COMMIT } from '../../ui/evaluation-states.ts'
import { Loaded } from '../../ui/Loaded.tsx'
import { Page } from '../../ui/Page.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import { FollowFlake } from './FollowFlake.tsx'

type FlakeRow = Answer<'listFlakes'>['flakes'][number]

export function Flakes() {
  const flakes = useRead('listFlakes', {})
  const mayNot = useMay('operator')
  const [adding, setAdding] = useState(false)
  return (
    <Page
      title="Flakes"
      actions={
        <Button look="main" disabledReason={mayNot} onClick={() => setAdding(true)}>
          Follow a flake
        </Button>
      }
    >
      {adding && <FollowFlake onClose={() => setAdding(false)} />}
      <Panel title="Followed" flush>
        <Loaded from={flakes} skeleton={<Skeleton lines={3} />}>
          {({ flakes: rows }) =>
            rows.length === 0 ? (
              <Empty title="No flake is followed yet">
                <p>
                  Follow the Git repository with your <code>nixosConfigurations</code>: every commit of its
                  branch is evaluated, and each system is compared with what it should run.
                </p>
              </Empty>
            ) : (
              <Table label="Followed" columns={COLUMNS} rows={rows} keyOf={({ id }) => id} />
            )
          }
        </Loaded>
      </Panel>
    </Page>
  )
}

const COLUMNS: readonly Column<FlakeRow>[] = [
  {
    head: 'Repository',
    cell: ({ id, url, declared }) => (
      <>
        <Link to="/flakes/$id" params={{ id: String(id) }}>
          <bdi>{url}</bdi>
        </Link>{' '}
        {declared && (
          <Badge tone="quiet" hint="It is declared in the configuration, and cannot be changed here.">
            Declared
          </Badge>
        )}
      </>
    ),
  },
  { head: 'Branch', cell: ({ head_branch, branch }) => <bdi>{head_branch ?? branch ?? 'its default'}</bdi> },
  { head: 'Newest commit', cell: (flake) => <Head flake={flake} /> },
  {
    head: 'Systems',
    cell: ({ id, systems }) => (
      <Link to="/systems" search={{ flake: id }}>
        {systems.toLocaleString()}
      </Link>
    ),
  },
  { head: 'Git was asked', cell: (flake) => <Synced flake={flake} /> },
]

function Head({ flake }: { flake: FlakeRow }) {
  if (flake.head_sha === null) return 'none yet'
  return (
    <>
      {flake.head_status !== null && <StateBadge state={COMMIT[flake.head_status]} />}{' '}
      <Link to="/flakes/$id/commits/$sha" params={{ id: String(flake.id), sha: flake.head_sha }}>
        <code>{flake.head_sha.slice(0, 10)}</code>
      </Link>{' '}
      <bdi>{flake.head_subject}</bdi>
    </>
  )
}

function Synced({ flake }: { flake: Pick<FlakeRow, 'synced_at' | 'sync_failed_at' | 'sync_error'> }) {
  if (flake.sync_failed_at !== null)
    return (
      <>
        <Badge tone="bad">Failed</Badge> <Time at={flake.sync_failed_at} />
      </>
    )
  return flake.synced_at === null ? 'not yet' : <Time at={flake.synced_at} />
}
