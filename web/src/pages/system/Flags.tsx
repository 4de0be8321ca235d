import { flagFacts, sayFlag } from '../../../../src/protocol/flag-words.ts'
import { useMay } from '../../access/may.ts'
import { useChange } from '../../api/queries.ts'
import { Confirm } from '../../ui/Confirm.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Facts } from '../../ui/Facts.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { FLAGS, type FlagName } from '../../ui/states.ts'
import { Time } from '../../ui/Time.tsx'
import classes from './System.module.css'
import type { SystemAnswer } from './system-answer.ts'

/** Those that stay until somebody has looked at them (fleet/flags.ts); the others end with their cause. */
const STAY: ReadonlySet<FlagName> = new Set(['identity_conflict', 'chain_broken', 'history_lost'])

/** What is wrong beside what it runs, with the facts that decide it. */
export function Flags({ system: { hostname, flags } }: { system: SystemAnswer }) {
  return (
    <Panel title="Flags">
      {flags.length === 0 ? (
        <Empty title="No flag is up" />
      ) : (
        <ul className={classes.flags}>
          {flags.map((flag) => (
            <li key={flag.flag}>
              <Flag hostname={hostname} {...flag} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function Flag({ hostname, flag, since, details }: SystemAnswer['flags'][number] & { hostname: string }) {
  const mayNot = useMay('operator')
  const acknowledge = useChange('acknowledgeFlag')
  const facts = flagFacts(details)
  return (
    <>
      <div className={classes.flag}>
        <StateBadge state={FLAGS[flag]} />
        <span className={classes.words}>
          {sayFlag(flag, details)}, since <Time at={since} />
        </span>
        {STAY.has(flag) ? (
          <Confirm
            question="Has somebody looked at it?"
            does="Acknowledge"
            about={
              <p>
                The flag is taken down. It stays in the timeline, and goes up again when the same happens
                again.
              </p>
            }
            disabledReason={mayNot}
            act={async () => await acknowledge.mutateAsync({ params: { hostname, flag } })}
          >
            Acknowledge
          </Confirm>
        ) : (
          <span className={classes.aside}>ends with its cause</span>
        )}
      </div>
      {facts.length > 0 && (
        <Facts of={Object.fromEntries(facts.map(([name, value]) => [name, value ?? 'unknown']))} />
      )}
    </>
  )
}
