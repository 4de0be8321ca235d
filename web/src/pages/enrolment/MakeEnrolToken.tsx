import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useChange, useRead } from '../../api/queries.ts'
import { Field } from '../../ui/Field.tsx'
import { FormDialog } from '../../ui/FormDialog.tsx'
import { ShownOnce } from '../../ui/ShownOnce.tsx'
import { TextField } from '../../ui/TextField.tsx'
import classes from './Enrolment.module.css'

const LASTS = { '3600': 'an hour', '86400': 'a day', '604800': 'a week', '2592000': '30 days' }
const EMPTY = { name: '', hostname: '', environment: '', flake: '', uses: '1', lasts: '86400', waits: false }
type Text = Exclude<keyof typeof EMPTY, 'waits'>

/** Makes a token with which hosts register their keys by themselves. */
export function MakeEnrolToken({ onClose }: { onClose: () => void }) {
  const [form, setForm] = useState(EMPTY)
  const create = useChange('createEnrollToken')
  const flakes = useRead('listFlakes', {})
  const put = (key: Text, value: string): void => setForm((before) => ({ ...before, [key]: value }))
  if (create.data !== undefined)
    return (
      <ShownOnce title="The new enrolment token" what="token" secret={create.data.token} onClose={onClose}>
        <p>
          Put it into a file that only root reads, and name that as <code>client.enrollment_token_file</code>;{' '}
          <Link to="/first-host">step by step</Link>.
        </p>
      </ShownOnce>
    )
  const input = (key: Text, label: string, hint: string, more: object = {}) => (
    <TextField {...more} label={label} hint={hint} value={form[key]} onChange={(value) => put(key, value)} />
  )
  return (
    <FormDialog
      title="Make an enrolment token"
      does="Make"
      change={create}
      onClose={onClose}
      onSubmit={() => create.mutate({ body: bodyOf(form) })}
    >
      {input('name', 'Name', 'What it is for.', { required: true, maxLength: 256 })}
      <div className={classes.pair}>
        {input('uses', 'Hosts', 'How many it lets in.', {
          type: 'number',
          required: true,
          min: 1,
          max: 1_000_000,
        })}
        <Field label="Lasts">
          {(tie) => (
            <select {...tie} value={form.lasts} onChange={({ target }) => put('lasts', target.value)}>
              {Object.entries(LASTS).map(([key, text]) => (
                <option key={key} value={key}>
                  {text}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <div className={classes.pair}>
        {input('hostname', 'Host name', 'Empty: any that has no key yet.', { maxLength: 253 })}
        {input('environment', 'Environment', 'Empty: none.', { maxLength: 256 })}
      </div>
      <Field label="Flake" hint="What says what these hosts should run.">
        {(tie) => (
          <select {...tie} value={form.flake} onChange={({ target }) => put('flake', target.value)}>
            <option value="">none</option>
            {flakes.data?.flakes.map(({ id, url }) => (
              <option key={id} value={url}>
                {url}
              </option>
            ))}
          </select>
        )}
      </Field>
      <label className={classes.check}>
        <input
          type="checkbox"
          checked={form.waits}
          onChange={({ target }) => setForm((before) => ({ ...before, waits: target.checked }))}
        />
        <span>Each host waits until somebody approves its key</span>
      </label>
    </FormDialog>
  )
}

function bodyOf({ name, hostname, environment, flake, uses, lasts, waits }: typeof EMPTY) {
  return {
    name: name.trim(),
    uses: Number(uses),
    expires_in_secs: Number(lasts),
    needs_approval: waits,
    ...given('hostname', hostname),
    ...given('environment', environment),
    ...given('flake_url', flake),
  }
}

const given = (key: string, value: string) => (value.trim() === '' ? {} : { [key]: value.trim() })
