import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Search } from 'lucide-react'
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import { read } from '../api/queries.ts'
import { Found } from './Found.tsx'
import { allSystems, groupsOf, type SearchOption } from './search-options.ts'
import classes from './SearchBox.module.css'
import { useShortcut } from './shortcuts.ts'

/** A search begins when nobody has typed for so long. */
const PAUSE_MS = 120

/**
 * Finds systems, flakes and commits while one types; `/` leads here from everywhere. A combobox as
 * https://www.w3.org/WAI/ARIA/apg/patterns/combobox/ has it: the focus stays in the input, the arrow keys choose.
 */
export function SearchBox() {
  const input = useRef<HTMLInputElement>(null)
  const navigate = useNavigate()
  const id = useId()
  const [typed, setTyped] = useState('')
  const [open, setOpen] = useState(false)
  const [active, setActive] = useState<string | null>(null)
  useShortcut('/', () => input.current?.focus())

  const text = typed.trim()
  const asked = useAfterPause(text)
  const { data, error, isPending } = useQuery({
    ...read('searchAll', { query: { text: asked } }),
    enabled: open && asked !== '',
    placeholderData: keepPreviousData,
  })
  const isShown = open && text !== ''
  const groups = data === undefined || asked === '' ? [] : groupsOf(data)
  const options = [allSystems(text), ...groups.flatMap((group) => group.options)]
  const chosen = options.find(({ key }) => key === active) ?? null

  const go = ({ to }: SearchOption): void => {
    setTyped('')
    setOpen(false)
    setActive(null)
    void navigate(to)
  }
  const move = (by: 1 | -1): void => {
    const at = options.findIndex(({ key }) => key === active)
    // from the input, up is the last and down the first
    const next = at === -1 ? (by === 1 ? 0 : options.length - 1) : at + by
    setOpen(true)
    setActive(options[next]?.key ?? null)
  }
  const onKey = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return
    if (event.key === 'ArrowDown') move(1)
    else if (event.key === 'ArrowUp') move(-1)
    else if (event.key === 'Escape' && isShown) setOpen(false)
    else return
    event.preventDefault()
  }

  return (
    <search
      className={classes.search}
      onBlur={({ relatedTarget, currentTarget }) => {
        if (!currentTarget.contains(relatedTarget)) setOpen(false)
      }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (text === '') void navigate({ to: '/systems', search: {} })
          else go(chosen ?? allSystems(text))
        }}
      >
        <Search aria-hidden size={16} />
        <input
          ref={input}
          type="search"
          role="combobox"
          aria-label="Search systems, flakes and commits"
          aria-autocomplete="list"
          aria-expanded={isShown}
          aria-controls={isShown ? `${id}-found` : undefined}
          aria-activedescendant={isShown && chosen !== null ? `${id}-${chosen.key}` : undefined}
          placeholder="Search  ( / )"
          autoComplete="off"
          spellCheck={false}
          maxLength={253}
          value={typed}
          onChange={({ target }) => {
            setTyped(target.value)
            setOpen(true)
            setActive(null)
          }}
          onFocus={() => setOpen(true)}
          onKeyDown={onKey}
        />
      </form>
      {isShown && (
        <Found
          id={id}
          all={allSystems(text)}
          groups={groups}
          state={error === null ? (isPending || asked !== text ? 'searching' : 'done') : 'failed'}
          active={chosen}
          go={go}
        />
      )}
    </search>
  )
}

/** A text once it has stayed as it is for a moment. */
function useAfterPause(text: string): string {
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [text])
  return settled
}
