import { useMay } from '../../access/may.ts'
import { useChange } from '../../api/queries.ts'
import { Confirm } from '../../ui/Confirm.tsx'
import classes from './Enrolment.module.css'
import type { Key } from './key-states.ts'

/** Lets a key in that waits, once its fingerprint was compared. */
export function ApproveKey({ of: { id, hostname } }: { of: Key }) {
  const mayNot = useMay('operator')
  const approve = useChange('approveKeys')
  return (
    <Confirm
      look="main"
      label={`Approve the key of ${hostname}`}
      disabledReason={mayNot}
      question={`Let this key report as ${hostname}?`}
      does="Approve"
      about={
        <div className={classes.stack}>
          <code className={classes.fingerprint}>{id}</code>
          <p>
            Compare it with what the host says: <code>key_id</code> in{' '}
            <code>journalctl -u crystal-forge-agent</code>.
          </p>
        </div>
      }
      act={async () => await approve.mutateAsync({ params: { hostname }, body: { key_id: id } })}
    >
      Approve
    </Confirm>
  )
}
