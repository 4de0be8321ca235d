import { CircleAlert, CircleCheck, CircleX, Hourglass, LoaderCircle } from 'lucide-react'
import type { Answer } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { LongText } from '../../ui/LongText.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import type { Shown } from '../../ui/states.ts'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import classes from './Settings.module.css'

type Job = Answer<'listJobs'>['jobs'][number]

const AGAIN_MS = 30_000

const PURPOSES: Record<string, string> = {
  'add-up-counts': 'Adds up the counts of systems by drift',
  'apply-retention': 'Forgets what is older than the configuration keeps',
  'collect-store': "Frees the evaluators' Nix stores of what is not needed any more",
  'create-partitions': 'Makes room for the reports of the months to come',
  'expire-sessions': 'Removes sessions that ended',
  'poll-flakes': 'Asks Git for the heads of the flakes',
  'record-history': 'Records how many systems there are of each state',
}

/** What the servers and evaluators do of their own accord, and whether they did. */
export function Jobs() {
  const jobs = useRead('listJobs', {}, { again: () => AGAIN_MS })
  return (
    <Panel title="Recurring jobs" flush>
      <Loaded from={jobs}>
        {({ jobs: rows }) =>
          rows.length === 0 ? (
            <Empty title="No job is known yet">
              <p>They appear when a server or an evaluator has started.</p>
            </Empty>
          ) : (
            <Table label="Recurring jobs" rows={rows} keyOf={({ name }) => name} columns={COLUMNS} />
          )
        }
      </Loaded>
    </Panel>
  )
}

const COLUMNS: Column<Job>[] = [
  {
    head: 'Job',
    cell: ({ name }) => (
      <>
        <code>{name}</code>
        {PURPOSES[name] !== undefined && <span className={classes.second}>{PURPOSES[name]}</span>}
      </>
    ),
  },
  {
    head: 'State',
    cell: (job) => (
      <>
        <StateBadge state={stateOf(job)} />
        {job.error !== null && (
          <div className={classes.second}>
            <LongText of={job.error} />
          </div>
        )}
      </>
    ),
  },
  { head: 'Last done', cell: ({ finished_at: at }) => (at === null ? 'never' : <Time at={at} />) },
  { head: 'Last failed', cell: ({ failed_at: at }) => (at === null ? 'never' : <Time at={at} />) },
  { head: 'Next', cell: ({ next_at: at }) => (at === null ? 'not known' : <Time at={at} />) },
]

function stateOf(job: Job): Shown {
  const { started_at: started, finished_at: finished, failed_at: failed, overdue, error } = job
  if (overdue)
    return { tone: 'bad', icon: CircleAlert, text: 'Overdue', hint: 'Nothing has begun it when it was due.' }
  if (started === null)
    return { tone: 'quiet', icon: Hourglass, text: 'Never ran', hint: 'It waits for its first time.' }
  if (error !== null)
    return { tone: 'bad', icon: CircleX, text: 'Failed', hint: 'It is tried again next time.' }
  const ended = Math.max(...[finished, failed].map((at) => (at === null ? 0 : Date.parse(at))))
  if (Date.parse(started) > ended)
    return { tone: 'info', icon: LoaderCircle, text: 'Running', hint: 'It has begun and not ended.' }
  return { tone: 'good', icon: CircleCheck, text: 'Done', hint: 'The last time went well.' }
}
