import { Columns3 } from 'lucide-react'
import { useId } from 'react'
import { keysOf } from '../../keys.ts'
import button from '../../ui/Button.module.css'
import { type ColumnName, COLUMNS } from './columns.tsx'
import classes from './Systems.module.css'

export function ChooseColumns({
  chosen,
  choose,
}: {
  chosen: ColumnName[]
  choose: (chosen: ColumnName[]) => void
}) {
  const id = useId()
  const toggle = (name: ColumnName): void =>
    choose(keysOf(COLUMNS).filter((each) => (each === name ? !chosen.includes(each) : chosen.includes(each))))
  return (
    <div className={classes.choose}>
      <button type="button" className={button.button} popoverTarget={id}>
        <Columns3 aria-hidden size={16} /> Columns
      </button>
      <fieldset id={id} popover="auto" className={classes.columns}>
        <legend className="visually-hidden">Columns</legend>
        {keysOf(COLUMNS)
          .filter((name) => name !== 'hostname')
          .map((name) => (
            <label key={name}>
              <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} />{' '}
              {COLUMNS[name].title}
            </label>
          ))}
      </fieldset>
    </div>
  )
}
