import { Link } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import { keysOf } from '../../keys.ts'
import { Panel } from '../../ui/Panel.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { DRIFT, FLAGS, LIVENESS, type Shown } from '../../ui/states.ts'
import type { SystemsSearch } from '../systems/search.ts'
import classes from './Counts.module.css'

/** How many systems there are of each state. */
export function Counts({ of: { standing, liveness, flags } }: { of: Answer<'getFleetSummary'> }) {
  return (
    <div className={classes.counts}>
      <CountPanel
        title="Against what they should run"
        shown={DRIFT}
        counts={standing}
        searchFor={(each) => ({ standing: each })}
      />
      <CountPanel
        title="Heard of"
        shown={LIVENESS}
        counts={liveness}
        searchFor={(each) => ({ liveness: each })}
      />
      <CountPanel title="Flags" shown={FLAGS} counts={flags} searchFor={(flag) => ({ flag })} />
    </div>
  )
}

/** Each count leads to the list of what it counts. */
function CountPanel<State extends string>({
  title,
  shown,
  counts,
  searchFor,
}: {
  title: string
  shown: Record<State, Shown>
  counts: Record<State, number>
  searchFor: (state: State) => SystemsSearch
}) {
  return (
    <Panel title={title} flush>
      <ul className={classes.list}>
        {keysOf(shown).map((state) => (
          <li key={state}>
            <Link to="/systems" search={searchFor(state)}>
              <StateBadge state={counts[state] === 0 ? { ...shown[state], tone: 'quiet' } : shown[state]} />
              <span className={classes.count} data-zero={counts[state] === 0}>
                {counts[state].toLocaleString()}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
