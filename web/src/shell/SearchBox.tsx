import { useNavigate } from '@tanstack/react-router'
import { Search } from 'lucide-react'
import { useRef } from 'react'
import classes from './SearchBox.module.css'
import { useShortcut } from './shortcuts.ts'

/** Finds systems by part of their name; `/` leads here from everywhere. */
export function SearchBox() {
  const input = useRef<HTMLInputElement>(null)
  const navigate = useNavigate()
  useShortcut('/', () => input.current?.focus())
  return (
    <search className={classes.search}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          const text = input.current?.value.trim() ?? ''
          void navigate({ to: '/systems', search: text === '' ? {} : { text } })
        }}
      >
        <Search aria-hidden size={16} />
        <input
          ref={input}
          type="search"
          aria-label="Search systems"
          placeholder="Search systems  ( / )"
          maxLength={253}
        />
      </form>
    </search>
  )
}
