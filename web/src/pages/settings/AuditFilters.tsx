import { useState } from 'react'
import { Button } from '../../ui/Button.tsx'
import { Field } from '../../ui/Field.tsx'
import { TextField } from '../../ui/TextField.tsx'
import classes from './Audit.module.css'
import { ACTIONS } from './audit-actions.ts'
import { type AuditSearch, auditSearch } from './audit-search.ts'

/** Narrows the trail down; what is shown changes when it is asked to. */
export function AuditFilters({
  search,
  onChoose,
}: {
  search: AuditSearch
  onChoose: (search: AuditSearch) => void
}) {
  const [draft, setDraft] = useState<Record<keyof AuditSearch, string>>({
    actor: '',
    action: '',
    subject: '',
    from: '',
    to: '',
    ...search,
  })
  const put = (key: keyof AuditSearch, value: string): void =>
    setDraft((before) => ({ ...before, [key]: value }))
  const textField = (key: 'actor' | 'subject' | 'from' | 'to', label: string, type = 'text') => (
    <TextField label={label} type={type} value={draft[key]} onChange={(value) => put(key, value)} />
  )
  return (
    <form
      className={classes.filters}
      aria-label="Filter"
      onSubmit={(event) => {
        event.preventDefault()
        onChoose(auditSearch(draft))
      }}
    >
      {textField('actor', 'Who')}
      <Field label="What was done">
        {(tie) => (
          <select {...tie} value={draft.action} onChange={({ target }) => put('action', target.value)}>
            <option value="">Anything</option>
            {Object.entries(ACTIONS).map(([action, text]) => (
              <option key={action} value={action}>
                {text}
              </option>
            ))}
          </select>
        )}
      </Field>
      {textField('subject', 'To what')}
      {textField('from', 'From', 'date')}
      {textField('to', 'To', 'date')}
      <div className={classes.buttons}>
        <Button type="submit" look="main">
          Show
        </Button>
        {Object.keys(search).length > 0 && <Button onClick={() => onChoose({})}>Clear</Button>}
      </div>
    </form>
  )
}
