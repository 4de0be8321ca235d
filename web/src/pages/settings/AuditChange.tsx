import { Fragment } from 'react'
import classes from './Audit.module.css'

/** What differs, before and after. */
export function AuditChange({ before, after }: { before: unknown; after: unknown }) {
  const [was, is] = [membersOf(before), membersOf(after)]
  // of what is new or gone, what it never had says nothing
  const names = Object.keys({ ...was, ...is }).filter(
    (name) => (was !== null && is !== null) || !isNothing((was ?? is)?.[name]),
  )
  if (names.length === 0) return '–'
  return (
    <dl className={classes.change}>
      {names.map((name) => (
        <Fragment key={name}>
          <dt>{name.replaceAll('_', ' ')}</dt>
          <dd>
            {was !== null && (
              <del>
                <span className="visually-hidden">before: </span>
                <bdi>{sayValue(was[name])}</bdi>
              </del>
            )}
            {was !== null && is !== null && <span className={classes.arrow}> → </span>}
            {is !== null && (
              <ins>
                <span className="visually-hidden">after: </span>
                <bdi>{sayValue(is[name])}</bdi>
              </ins>
            )}
          </dd>
        </Fragment>
      ))}
    </dl>
  )
}

function membersOf(state: unknown): Record<string, unknown> | null {
  return typeof state === 'object' && state !== null ? { ...state } : null
}

const isNothing = (value: unknown): boolean => value === null || value === undefined || value === ''

function sayValue(value: unknown): string {
  if (isNothing(value)) return 'none'
  if (value === true) return 'yes'
  if (value === false) return 'no'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
