import { useState } from 'react'
import { keysOf } from '../../keys.ts'
import { type ColumnName, COLUMNS } from './columns.tsx'

const KEY = 'systems.columns'

/** The columns that are shown, as this browser remembers them. */
export function useColumns(): [ColumnName[], (chosen: ColumnName[]) => void] {
  const [chosen, setChosen] = useState(read)
  return [
    chosen,
    (columns) => {
      localStorage.setItem(KEY, JSON.stringify(columns))
      setChosen(columns)
    },
  ]
}

function read(): ColumnName[] {
  const usual = keysOf(COLUMNS).filter((name) => COLUMNS[name].usual)
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null')
    if (!Array.isArray(stored)) return usual
    return keysOf(COLUMNS).filter((name) => name === 'hostname' || stored.includes(name))
  } catch {
    // what another version wrote there
    return usual
  }
}
