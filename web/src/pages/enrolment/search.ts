import { isKeyStatus, type Key } from './key-states.ts'

/** Which keys are listed. */
export interface KeySearch {
  status?: Key['status']
  text?: string
}

export function keySearch({ status, text }: Record<string, unknown>): KeySearch {
  const part = typeof text === 'string' || typeof text === 'number' ? String(text).trim().slice(0, 253) : ''
  return { ...(isKeyStatus(status) && { status }), ...(part !== '' && { text: part }) }
}
