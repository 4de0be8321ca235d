import { Link } from '@tanstack/react-router'
import { X } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { useRead } from '../../api/queries.ts'
import { DRIFT, FLAGS, LIVENESS, type Shown } from '../../ui/states.ts'
import { isFiltered, REGISTRATIONS, SORTS, type SystemsSearch, systemsSearch } from './search.ts'
import classes from './Systems.module.css'

/** A search begins when nobody has typed for so long. */
const PAUSE_MS = 150

const { hostname: _, ...OTHER_SORTS } = SORTS

/** What of the list is shown; all of it stands in the address. */
export function Filters({
  search,
  change,
}: {
  search: SystemsSearch
  change: (search: SystemsSearch) => void
}) {
  const flakes = useRead('listFlakes', {})
  const set = (name: keyof SystemsSearch, value: string | number): void =>
    change(systemsSearch({ ...search, [name]: value }))
  const ofStates = (
    name: 'standing' | 'drift' | 'liveness' | 'flag',
    label: string,
    all: string,
    shown: Readonly<Record<string, Shown>>,
  ) => (
    <Choice
      label={label}
      all={all}
      of={Object.fromEntries(Object.entries(shown).map(([state, { text }]) => [state, text]))}
      value={search[name]}
      choose={(value) => set(name, value)}
    />
  )
  return (
    <search className={classes.filters} aria-label="Filters">
      <TextFilter text={search.text ?? ''} apply={(text) => set('text', text)} />
      {ofStates('standing', 'Drift', 'Drift: any', DRIFT)}
      {search.drift !== undefined && ofStates('drift', 'Newest commit', 'Newest commit: any', DRIFT)}
      {ofStates('liveness', 'Liveness', 'Heard of: any', LIVENESS)}
      {ofStates('flag', 'Flag', 'Flags: any', FLAGS)}
      <Choice
        label="Flake"
        all="Flake: any"
        of={Object.fromEntries((flakes.data?.flakes ?? []).map(({ id, url }) => [String(id), url]))}
        value={search.flake === undefined ? undefined : String(search.flake)}
        choose={(value) => set('flake', Number(value))}
      />
      <Choice
        label="Registration"
        all="Not archived"
        of={REGISTRATIONS}
        value={search.registration}
        choose={(value) => set('registration', value)}
      />
      <span className={classes.order}>
        <Choice
          label="Order"
          all={SORTS.hostname}
          of={OTHER_SORTS}
          value={search.sort === 'hostname' ? undefined : search.sort}
          choose={(value) => set('sort', value)}
        />
      </span>
      {search.environment !== undefined && (
        <span className={classes.environment}>
          in <bdi>{search.environment}</bdi>{' '}
          <button type="button" className={classes.take} onClick={() => set('environment', '')}>
            <X aria-hidden size={14} />
            <span className="visually-hidden">Of any environment</span>
          </button>
        </span>
      )}
      {isFiltered(search) && (
        <Link
          to="/systems"
          search={search.sort === undefined ? {} : { sort: search.sort }}
          className={classes.clear}
        >
          Clear
        </Link>
      )}
    </search>
  )
}

function TextFilter({ text, apply }: { text: string; apply: (text: string) => void }) {
  const input = useRef<HTMLInputElement>(null)
  const pause = useRef<ReturnType<typeof setTimeout>>(undefined)
  const latest = useRef(apply)
  useEffect(() => {
    latest.current = apply
  })
  useEffect(() => () => clearTimeout(pause.current), [])
  useEffect(() => {
    // what somebody is typing is ahead of the address, which follows it
    if (input.current !== null && input.current !== document.activeElement) input.current.value = text
  }, [text])
  return (
    <input
      ref={input}
      type="search"
      aria-label="Part of the name"
      placeholder="Part of the name"
      maxLength={253}
      defaultValue={text}
      onChange={({ target }) => {
        clearTimeout(pause.current)
        pause.current = setTimeout(() => latest.current(target.value), PAUSE_MS)
      }}
    />
  )
}

function Choice({
  label,
  all,
  of,
  value,
  choose,
}: {
  label: string
  all: string
  of: Record<string, string>
  value: string | undefined
  choose: (value: string) => void
}) {
  return (
    <select
      aria-label={label}
      value={value ?? ''}
      data-chosen={value !== undefined}
      onChange={({ target }) => choose(target.value)}
    >
      <option value="">{all}</option>
      {Object.entries(of).map(([name, text]) => (
        <option key={name} value={name}>
          {text}
        </option>
      ))}
    </select>
  )
}
