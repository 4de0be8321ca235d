import { StorePath } from '../../ui/Mono.tsx'
import { Time } from '../../ui/Time.tsx'
import type { FactKind } from './fact-names.ts'
import { sayFact } from './fact-values.ts'
import classes from './System.module.css'

/** So much of a text is shown at once: hosts may say what they like. */
const MOST = 300

/** A fact as its host reported it. */
export function FactValue({ value, kind }: { value: unknown; kind: FactKind }) {
  const said = sayFact(value, kind)
  if (said === null) return <span className={classes.aside}>unknown</span>
  if (typeof said === 'string') {
    if (kind === 'path') return <StorePath path={said} />
    if (kind === 'time' && !Number.isNaN(Date.parse(said))) return <Time at={said} />
    return <Text of={said} />
  }
  return (
    <ul className={classes.values}>
      {said.map((each, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- a host may name the same twice
        <li key={index}>
          <Text of={each} />
        </li>
      ))}
    </ul>
  )
}

function Text({ of: text }: { of: string }) {
  if (text.length <= MOST) return <bdi>{text}</bdi>
  return (
    <details>
      <summary>
        <bdi>{text.slice(0, MOST)}</bdi>…
      </summary>
      <bdi>{text}</bdi>
    </details>
  )
}
