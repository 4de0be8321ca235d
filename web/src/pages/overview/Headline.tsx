import { Link } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import { keysOf } from '../../keys.ts'
import { DRIFT } from '../../ui/states.ts'
import classes from './Headline.module.css'

const STATES = keysOf(DRIFT).toReversed()

/** The first number: who has proved, by a signed report, to run what it should. */
export function Headline({ counts }: { counts: Answer<'getFleetSummary'> }) {
  const { systems, standing, liveness } = counts
  const proved = standing.in_sync
  const { offline } = liveness
  return (
    <section className={classes.headline} aria-label="Proved">
      <p className={classes.number}>
        <Link to="/systems" search={{ standing: 'in_sync' }}>
          <strong>{proved.toLocaleString()}</strong>
        </Link>
        <span>
          of {systems.toLocaleString()} {systems === 1 ? 'system' : 'systems'} provably{' '}
          {systems === 1 ? 'runs what it should' : 'run what they should'}
          {systems > 0 && ` (${percent(proved, systems)})`}
        </span>
      </p>
      <div className={classes.bar} aria-hidden>
        {STATES.filter((state) => standing[state] > 0).map((state) => (
          <span
            key={state}
            data-tone={DRIFT[state].tone}
            title={`${DRIFT[state].text}: ${standing[state].toLocaleString()}`}
            style={{ flexGrow: standing[state] }}
          />
        ))}
      </div>
      <p className={classes.about}>
        By the newest signed report of each.{' '}
        {offline > 0 && (
          <>
            <Link to="/systems" search={{ liveness: 'offline' }}>
              {offline.toLocaleString()} {offline === 1 ? 'is' : 'are'} offline
            </Link>
            : what {offline === 1 ? 'it runs' : 'they run'} now is not known.
          </>
        )}
      </p>
    </section>
  )
}

/** Never 100 % while one is missing. */
function percent(part: number, whole: number): string {
  const exact = (part / whole) * 100
  return part === whole ? '100 %' : `${(Math.floor(exact * 10) / 10).toLocaleString()} %`
}
