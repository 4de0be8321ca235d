import { useState } from 'react'
import { useMay } from '../../access/may.ts'
import { useChange } from '../../api/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { Confirm } from '../../ui/Confirm.tsx'
import { ProblemNote } from '../../ui/ProblemNote.tsx'
import { ChangeSystem } from './ChangeSystem.tsx'
import type { SystemAnswer } from './system-answer.ts'

/** What operators do with a system; a declared one is changed where it is declared. */
export function Actions({ system }: { system: SystemAnswer }) {
  const [changing, setChanging] = useState(false)
  const mayNot = useMay('operator')
  const declared = system.declared
    ? "It is declared in the server's configuration: change it there, and the server takes it over when it starts"
    : null
  const isArchived = system.archived_at !== null
  return (
    <>
      <Button
        disabledReason={mayNot ?? declared ?? (isArchived ? 'It is archived: restore it first' : null)}
        onClick={() => setChanging(true)}
      >
        Change
      </Button>
      {isArchived ? (
        <Restore system={system} disabledReason={mayNot ?? declared} />
      ) : (
        <Archive system={system} disabledReason={mayNot ?? declared} />
      )}
      {changing && <ChangeSystem system={system} onClose={() => setChanging(false)} />}
    </>
  )
}

interface Act {
  system: SystemAnswer
  disabledReason: string | null
}

function Archive({ system: { hostname }, disabledReason }: Act) {
  const archive = useChange('archiveSystem')
  return (
    <Confirm
      look="danger"
      question={`Archive ${hostname}?`}
      does="Archive"
      about={
        <p>
          Its keys are refused from now on, and it is in no list or count any more. Its reports stay as
          evidence, and it can be restored.
        </p>
      }
      disabledReason={disabledReason}
      act={async () => await archive.mutateAsync({ params: { hostname } })}
    >
      Archive
    </Confirm>
  )
}

function Restore({ system: { hostname }, disabledReason }: Act) {
  const restore = useChange('restoreSystem')
  return (
    <>
      <Button
        look="main"
        busy={restore.isPending}
        disabledReason={disabledReason}
        onClick={() => restore.mutate({ params: { hostname } })}
      >
        Restore
      </Button>
      {restore.error !== null && <ProblemNote error={restore.error} />}
    </>
  )
}
