import { Link } from '@tanstack/react-router'
import { FileCheck2, Flag, type LucideIcon, Radio, Scale } from 'lucide-react'
import { sayFlag } from '../../../../src/protocol/flag-words.ts'
import type { Answer } from '../../api/client.ts'
import { usePages } from '../../api/pages.ts'
import { isKeyOf, recordOf } from '../../keys.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { More } from '../../ui/More.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { DRIFT, FLAGS } from '../../ui/states.ts'
import { Time } from '../../ui/Time.tsx'
import { REASONS } from '../report/texts.ts'
import classes from './System.module.css'
import type { SystemAnswer } from './system-answer.ts'

type Entry = Answer<'getTimeline'>['entries'][number]

const ICONS: Record<Entry['kind'], LucideIcon> = {
  drift: Scale,
  flag_raised: Flag,
  flag_ended: Flag,
  report: FileCheck2,
  online: Radio,
}

/** What happened to it, newest first. */
export function Timeline({ system: { hostname } }: { system: SystemAnswer }) {
  const pages = usePages('getTimeline', { params: { hostname }, query: { limit: 50 } })
  return (
    <Panel title="What happened">
      <Loaded from={pages}>
        {({ pages: read }) => {
          const entries = read.flatMap((page) => page.entries)
          if (entries.length === 0)
            return (
              <Empty title="Nothing has happened yet">
                <p>Reports, changes of what it runs, flags and times online appear here.</p>
              </Empty>
            )
          return (
            <ol className={classes.timeline}>
              {entries.map((entry) => {
                const Icon = ICONS[entry.kind]
                return (
                  <li key={`${entry.at} ${entry.kind} ${JSON.stringify(entry.details)}`}>
                    <Icon aria-hidden size={16} />
                    <span className={classes.words}>
                      <What entry={entry} />
                    </span>
                    <Time at={entry.at} />
                  </li>
                )
              })}
            </ol>
          )
        }}
      </Loaded>
      <More pages={pages} />
    </Panel>
  )
}

function What({ entry: { kind, details } }: { entry: Entry }) {
  const said = recordOf(details)
  switch (kind) {
    case 'drift':
      return (
        <>
          Became <State shown={DRIFT} name={said['to']} />
          {isKeyOf(DRIFT, said['from']) && (
            <>
              , was <State shown={DRIFT} name={said['from']} />
            </>
          )}
        </>
      )
    case 'flag_raised':
      return (
        <>
          <State shown={FLAGS} name={said['flag']} /> {sayFlag(String(said['flag']), details)}
        </>
      )
    case 'flag_ended':
      return (
        <>
          <State shown={FLAGS} name={said['flag']} /> ended
        </>
      )
    case 'report':
      return <Reported id={String(said['id'])} reason={String(said['reason'])} />
    case 'online':
      return typeof said['ended_at'] === 'string' ? (
        <>
          Came online, until <Time at={said['ended_at']} />
        </>
      ) : (
        'Came online'
      )
  }
}

function Reported({ id, reason }: { id: string; reason: string }) {
  return (
    <>
      <Link to="/reports/$digest" params={{ digest: id }}>
        Reported
      </Link>
      : {REASONS[reason] ?? reason}
    </>
  )
}

function State<Name extends string>({
  shown,
  name,
}: {
  shown: Readonly<Record<Name, Parameters<typeof StateBadge>[0]['state']>>
  name: unknown
}) {
  return isKeyOf(shown, name) ? <StateBadge state={shown[name]} /> : String(name)
}
