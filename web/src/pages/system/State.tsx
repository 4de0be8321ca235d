import { Empty } from '../../ui/Empty.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Time } from '../../ui/Time.tsx'
import { About } from './About.tsx'
import { CommitsBetween } from './CommitsBetween.tsx'
import { Drift } from './Drift.tsx'
import { Flags } from './Flags.tsx'
import classes from './System.module.css'
import type { SystemAnswer } from './system-answer.ts'

/** How the system is now, and everything that decides it. */
export function State({ system }: { system: SystemAnswer }) {
  const { drift } = system
  return (
    <div className={classes.state}>
      <div className={classes.column}>
        <Panel title="Against what it should run">
          {drift === null ? (
            <Empty title="It is archived">
              {system.archived_at !== null && (
                <p>
                  Since <Time at={system.archived_at} /> it is not compared with anything, and its keys are
                  refused.
                </p>
              )}
            </Empty>
          ) : (
            <Drift drift={drift} flake={system.flake_id} />
          )}
        </Panel>
        {drift !== null && <CommitsBetween system={system} />}
        <Flags system={system} />
      </div>
      <div className={classes.column}>
        <About system={system} />
      </div>
    </div>
  )
}
