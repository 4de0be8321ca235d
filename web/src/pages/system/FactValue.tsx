import { LongText } from '../../ui/LongText.tsx'
import { StorePath } from '../../ui/Mono.tsx'
import { Time } from '../../ui/Time.tsx'
import type { FactKind } from './fact-names.ts'
import { sayFact } from './fact-values.ts'
import classes from './System.module.css'

/** A fact as its host reported it. */
export function FactValue({ value, kind }: { value: unknown; kind: FactKind }) {
  const said = sayFact(value, kind)
  if (said === null) return <span className={classes.aside}>unknown</span>
  if (typeof said === 'string') {
    if (kind === 'path') return <StorePath path={said} />
    if (kind === 'time' && !Number.isNaN(Date.parse(said))) return <Time at={said} />
    return <LongText of={said} />
  }
  return (
    <ul className={classes.values}>
      {said.map((each, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- a host may name the same twice
        <li key={index}>
          <LongText of={each} />
        </li>
      ))}
    </ul>
  )
}
