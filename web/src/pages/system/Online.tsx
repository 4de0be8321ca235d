import { useState } from 'react'
import type { Answer } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { sayDuration, Time } from '../../ui/Time.tsx'
import classes from './System.module.css'
import type { SystemAnswer } from './system-answer.ts'

const DAYS: Readonly<Record<number, string>> = { 1: '24 hours', 7: '7 days', 30: '30 days', 90: '90 days' }
const DAY_MS = 86_400_000
/** Heartbeats are no events: what they change is asked for. */
const AGAIN_MS = 60_000

interface Period {
  start: number
  end: number
  lasts: boolean
}

/** When it was online, as a strip over time and as a table. */
export function Online({ system }: { system: SystemAnswer }) {
  const [days, setDays] = useState(30)
  // of the moment of asking: a time that moves with every rendering would be another question each time
  const [from, setFrom] = useState(() => daysAgo(30))
  const periods = useRead(
    'listOnlinePeriods',
    { params: { hostname: system.hostname }, query: { from } },
    { again: () => AGAIN_MS },
  )
  const choose = (chosen: number): void => {
    setDays(chosen)
    setFrom(daysAgo(chosen))
  }
  return (
    <Panel
      title="Online"
      actions={
        <select aria-label="Period" value={days} onChange={({ target }) => choose(Number(target.value))}>
          {Object.entries(DAYS).map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      }
    >
      <Loaded from={periods}>
        {(answer) =>
          answer.periods.length === 0 ? (
            <Empty
              title={
                system.last_contact === null ? 'It was never heard of' : 'It was not online in this time'
              }
            />
          ) : (
            <Shown answer={answer} system={system} beginning={`${DAYS[days]} ago`} />
          )
        }
      </Loaded>
    </Panel>
  )
}

function Shown({
  answer,
  system,
  beginning,
}: {
  answer: Answer<'listOnlinePeriods'>
  system: SystemAnswer
  beginning: string
}) {
  const from = Date.parse(answer.from)
  const to = Date.parse(answer.to)
  const periods = answer.periods.map((each) => periodOf(each, { from, to, system }))
  const online = periods.reduce((sum, { start, end }) => sum + Math.max(0, end - start), 0)
  const added = Date.parse(system.created_at)
  const isNew = added > from
  // from a time before it was known nothing can be missing
  const whole = Math.max(online, to - Math.max(from, added))
  const share = `${(Math.floor((online / whole) * 1000) / 10).toLocaleString()} %`
  return (
    <div className={classes.online}>
      <p>
        Online for <strong>{sayDuration(online)}</strong>, {share} of{' '}
        {isNew ? 'the time since it was added' : 'this time'}.
      </p>
      <div className={classes.strip} aria-hidden>
        {periods.map(({ start, end }) => (
          <span
            key={start}
            style={{
              insetInlineStart: `${((start - from) / (to - from)) * 100}%`,
              width: `${((end - start) / (to - from)) * 100}%`,
            }}
          />
        ))}
      </div>
      <div className={classes.ends} aria-hidden>
        <span>{beginning}</span>
        <span>now</span>
      </div>
      <div className={classes.scroll}>
        <table>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">Until</th>
              <th scope="col">For</th>
              <th scope="col">Boot</th>
            </tr>
          </thead>
          <tbody>
            {answer.periods.map((each, index) => {
              const period = periods[index]
              return (
                <tr key={each.started_at}>
                  <td>
                    <Time at={each.started_at} />
                  </td>
                  <td>
                    {period?.lasts === true ? (
                      'it is online'
                    ) : (
                      <Time at={each.ended_at ?? system.last_contact ?? answer.to} />
                    )}
                  </td>
                  <td>{sayDuration((period?.end ?? 0) - Date.parse(each.started_at))}</td>
                  <td>{each.boot_id === null ? '–' : <code>{each.boot_id.slice(0, 8)}</code>}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
    </div>
  )
}

/** The end of the last one may not have been noticed yet: it is known to have lasted until the last contact. */
function periodOf(
  { started_at: started, ended_at: ended }: Answer<'listOnlinePeriods'>['periods'][number],
  { from, to, system }: { from: number; to: number; system: SystemAnswer },
): Period {
  const last = system.last_contact === null ? to : Date.parse(system.last_contact)
  const lasts = ended === null && system.liveness === 'online'
  const end = ended === null ? (lasts ? to : last) : Date.parse(ended)
  return { start: Math.max(from, Date.parse(started)), end: Math.min(to, end), lasts }
}

function daysAgo(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString()
}
