import { useEffect } from 'react'
import type { SearchGroup, SearchOption } from './search-options.ts'
import classes from './SearchBox.module.css'

const SAID = { searching: 'Searching …', done: 'Nothing else is like that', failed: 'The search failed' }

/** What the search found, below its input, by kind. */
export function Found({
  id,
  all,
  groups,
  state,
  active,
  go,
}: {
  /** Of the combobox: its options' ids begin with it. */
  id: string
  all: SearchOption
  groups: SearchGroup[]
  state: keyof typeof SAID
  active: SearchOption | null
  go: (option: SearchOption) => void
}) {
  const activeId = active === null ? null : `${id}-${active.key}`
  useEffect(() => {
    if (activeId !== null) document.getElementById(activeId)?.scrollIntoView({ block: 'nearest' })
  }, [activeId])
  const found = groups.reduce((sum, { options }) => sum + options.length, 0)
  const optionOf = (option: SearchOption) => (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the input takes the keys for it
    <div
      key={option.key}
      id={`${id}-${option.key}`}
      role="option"
      tabIndex={-1}
      aria-selected={option.key === active?.key}
      onMouseDown={(event) => event.preventDefault()}
      onClick={() => go(option)}
    >
      <bdi>{option.text}</bdi>
      {option.aside !== null && <bdi className={classes.aside}>{option.aside}</bdi>}
    </div>
  )
  return (
    <div className={classes.found}>
      <div id={`${id}-found`} role="listbox" aria-label="Found">
        {optionOf(all)}
        {groups.map(({ title, options }) => (
          <div key={title} role="group" aria-label={title}>
            <span aria-hidden>{title}</span>
            {options.map(optionOf)}
          </div>
        ))}
      </div>
      <output className={found > 0 && state === 'done' ? 'visually-hidden' : classes.said}>
        {found > 0 && state === 'done' ? `${found} found` : SAID[state]}
      </output>
    </div>
  )
}
