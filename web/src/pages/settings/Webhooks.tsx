import { Link } from '@tanstack/react-router'
import { CircleCheck, CircleMinus } from 'lucide-react'
import { Fragment } from 'react'
import type { Answer } from '../../api/client.ts'
import { usePages } from '../../api/pages.ts'
import { useRead } from '../../api/queries.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { More } from '../../ui/More.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import classes from './Settings.module.css'
import { SetUpWebhook } from './SetUpWebhook.tsx'

type Delivery = Answer<'listWebhookDeliveries'>['deliveries'][number]

/** A delivery is no event, and who sets a webhook up waits for the first. */
const AGAIN_MS = 15_000

export function Webhooks() {
  const pages = usePages('listWebhookDeliveries', { query: { limit: 50 } }, { again: AGAIN_MS })
  return (
    <>
      <SetUpWebhook />
      <Panel title="Deliveries" flush>
        <Loaded from={pages}>
          {({ pages: read }) => {
            const rows = read.flatMap(({ deliveries }) => deliveries)
            return rows.length === 0 ? (
              <Empty title="No webhook has arrived in the last 90 days">
                <p>
                  Flakes are followed all the same, by asking Git now and then. One whose signature is wrong
                  is refused, and only in the server’s log.
                </p>
              </Empty>
            ) : (
              <Table label="Deliveries" rows={rows} keyOf={({ id }) => id} columns={COLUMNS} />
            )
          }}
        </Loaded>
        <More pages={pages} />
      </Panel>
    </>
  )
}

const COLUMNS: Column<Delivery>[] = [
  { head: 'Arrived', cell: ({ received_at: at }) => <Time at={at} /> },
  {
    head: 'From',
    cell: ({ provider, event }) => (
      <>
        {PROVIDER_NAMES[provider] ?? provider}
        <bdi className={classes.second}>{event}</bdi>
      </>
    ),
  },
  {
    head: 'About',
    cell: ({ repository, ref, after }) => (
      <>
        <bdi>{repository ?? '–'}</bdi>
        {ref !== null && (
          <span className={classes.second}>
            <bdi>{ref.replace(/^refs\/heads\//, '')}</bdi>{' '}
            {after !== null && <code>{after.slice(0, 10)}</code>}
          </span>
        )}
      </>
    ),
  },
  { head: 'Outcome', cell: (delivery) => <Outcome of={delivery} /> },
]

const PROVIDER_NAMES: Record<string, string> = {
  github: 'GitHub',
  gitlab: 'GitLab',
  gitea: 'Gitea',
  forgejo: 'Forgejo',
  generic: 'Another Git host',
}

const REASONS: Record<string, string> = {
  not_a_push: 'It is no push.',
  tag: 'A tag was pushed, no branch.',
  deleted: 'The branch was deleted.',
  other_branch: 'No flake follows this branch.',
  unknown_repository: 'No flake is of this repository.',
  repeated: 'It had arrived before.',
}

function Outcome({ of: { outcome, reason, flake_ids: flakes } }: { of: Delivery }) {
  const known = useRead('listFlakes', {}).data?.flakes
  if (outcome !== 'accepted')
    return (
      <>
        <Badge tone="quiet" icon={CircleMinus}>
          Ignored
        </Badge>
        {reason !== null && <span className={classes.second}>{REASONS[reason] ?? reason}</span>}
      </>
    )
  return (
    <>
      <Badge tone="good" icon={CircleCheck}>
        Accepted
      </Badge>
      <span className={classes.second}>
        Git was asked about{' '}
        {flakes.map((id, index) => (
          <Fragment key={id}>
            {index > 0 && ', '}
            <Link to="/flakes/$id" params={{ id: String(id) }}>
              <bdi>{known?.find((flake) => flake.id === id)?.url ?? `flake ${id}`}</bdi>
            </Link>
          </Fragment>
        ))}
      </span>
    </>
  )
}
