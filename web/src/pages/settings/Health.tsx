import { CircleAlert, CircleCheck, CircleHelp, CircleX } from 'lucide-react'
import type { Answer } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import type { Shown } from '../../ui/states.ts'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'

type Health = Answer<'getHealth'>
type Part = Health['parts'][number]
type Instance = Health['instances'][number]

const AGAIN_MS = 15_000

const STATUS: Record<Health['status'], Shown> = {
  ok: { tone: 'good', icon: CircleCheck, text: 'Well', hint: 'It does what it should.' },
  degraded: {
    tone: 'warn',
    icon: CircleAlert,
    text: 'Degraded',
    hint: 'It works, but somebody should look.',
  },
  down: { tone: 'bad', icon: CircleX, text: 'Down', hint: 'It does not work.' },
  unknown: { tone: 'quiet', icon: CircleHelp, text: 'Not known', hint: 'There is nothing to judge it by.' },
}

const PARTS: Record<Part['name'], string> = {
  database: 'Database',
  servers: 'Servers',
  evaluators: 'Evaluators',
  jobs: 'Recurring jobs',
  queues: 'Queues',
  webhooks: 'Webhooks',
}

/** Whether what watches the fleet is well itself. */
export function Health() {
  const health = useRead('getHealth', {}, { again: () => AGAIN_MS })
  return (
    <Loaded from={health} skeleton={<Skeleton lines={12} />}>
      {({ status, parts, instances }) => (
        <>
          <Panel title="Parts of Crystal Forge" flush actions={<StateBadge state={STATUS[status]} />}>
            <Table label="Parts of Crystal Forge" rows={parts} keyOf={({ name }) => name} columns={COLUMNS} />
          </Panel>
          <Panel title="Processes of the last day" flush>
            {instances.length === 0 ? (
              <Empty title="No process is known" />
            ) : (
              <Table
                label="Processes of the last day"
                rows={instances}
                keyOf={({ kind, host, started_at: at }) => `${kind} ${host} ${at}`}
                columns={PROCESS_COLUMNS}
              />
            )}
          </Panel>
        </>
      )}
    </Loaded>
  )
}

const COLUMNS: Column<Part>[] = [
  { head: 'Part', cell: ({ name }) => PARTS[name] },
  { head: 'State', cell: ({ status }) => <StateBadge state={STATUS[status]} /> },
  { head: 'What is seen', cell: ({ text }) => text },
  { head: 'Since', cell: ({ since }) => (since === null ? '–' : <Time at={since} />) },
]

const PRESENT: Shown = { tone: 'good', icon: CircleCheck, text: 'Running', hint: 'Seen within 90 s.' }
const GONE: Shown = { tone: 'quiet', icon: CircleX, text: 'Gone', hint: 'Not seen for 90 s.' }

const PROCESS_COLUMNS: Column<Instance>[] = [
  { head: 'Process', cell: ({ kind }) => kind },
  { head: 'Machine', cell: ({ host }) => <bdi>{host}</bdi> },
  { head: 'State', cell: ({ present }) => <StateBadge state={present ? PRESENT : GONE} /> },
  { head: 'Version', cell: ({ version }) => <code>{version}</code> },
  { head: 'Started', cell: ({ started_at: at }) => <Time at={at} /> },
  { head: 'Last seen', cell: ({ seen_at: at }) => <Time at={at} /> },
]
