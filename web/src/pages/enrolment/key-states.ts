import { CircleCheck, CircleMinus, CircleX, Hourglass } from 'lucide-react'
import type { Answer } from '../../api/client.ts'
import type { Shown } from '../../ui/states.ts'

export type Key = Answer<'listKeys'>['keys'][number]

export const KEY_STATES: Record<Key['status'], Shown> = {
  active: { tone: 'good', icon: CircleCheck, text: 'Active', hint: 'What it signs is taken.' },
  pending: { tone: 'warn', icon: Hourglass, text: 'Waiting', hint: 'It waits to be approved.' },
  inactive: {
    tone: 'quiet',
    icon: CircleMinus,
    text: 'Inactive',
    hint: 'It is refused until it is declared or added again.',
  },
  revoked: { tone: 'bad', icon: CircleX, text: 'Revoked', hint: 'It never works again.' },
}

export function isKeyStatus(value: unknown): value is Key['status'] {
  return typeof value === 'string' && Object.hasOwn(KEY_STATES, value)
}
