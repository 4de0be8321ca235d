import { useNavigate } from '@tanstack/react-router'
import { Keyboard } from 'lucide-react'
import { useState } from 'react'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { areKeysOn, turnKeys, useShortcut } from './shortcuts.ts'

const KEYS = [
  ['/', 'Search'],
  ['o', 'Overview'],
  ['s', 'Systems'],
  ['f', 'Flakes'],
  ['?', 'These keys'],
  ['Esc', 'Close what is open'],
] as const

export function ShortcutHelp() {
  const [open, setOpen] = useState(false)
  const navigate = useNavigate()
  useShortcut('?', () => setOpen(true))
  useShortcut('o', () => void navigate({ to: '/' }))
  useShortcut('s', () => void navigate({ to: '/systems' }))
  useShortcut('f', () => void navigate({ to: '/flakes' }))
  return (
    <>
      <Button look="quiet" label="Keys" onClick={() => setOpen(true)}>
        <Keyboard aria-hidden size={17} />
      </Button>
      {open && (
        <Dialog title="Keys" onClose={() => setOpen(false)}>
          <label>
            <input
              type="checkbox"
              defaultChecked={areKeysOn()}
              onChange={({ target }) => turnKeys(target.checked)}
            />{' '}
            Single keys do something
          </label>
          <table>
            <tbody>
              {KEYS.map(([key, does]) => (
                <tr key={key}>
                  <th scope="row">
                    <kbd>{key}</kbd>
                  </th>
                  <td>{does}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <form method="dialog">
            <Button type="submit">Close</Button>
          </form>
        </Dialog>
      )}
    </>
  )
}
