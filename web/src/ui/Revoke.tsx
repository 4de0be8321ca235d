import type { ReactNode } from 'react'
import { Confirm } from './Confirm.tsx'

/** Takes a named thing back for good, after the question. */
export function Revoke({
  name,
  about,
  act,
}: {
  name: string
  /** What follows from it. */
  about: ReactNode
  act: () => Promise<unknown>
}) {
  return (
    <Confirm
      look="danger"
      label={`Revoke ${name}`}
      question={`Revoke ${name}?`}
      does="Revoke"
      about={<p>{about}</p>}
      act={act}
    >
      Revoke
    </Confirm>
  )
}
