import { useMay } from '../../access/may.ts'
import { useChange } from '../../api/queries.ts'
import { Confirm } from '../../ui/Confirm.tsx'
import classes from './Enrolment.module.css'
import type { Key } from './key-states.ts'

export function RevokeKey({ of: { id, hostname }, does }: { of: Key; does: 'Revoke' | 'Refuse' }) {
  const mayNot = useMay('operator')
  const revoke = useChange('revokeSystemKey')
  return (
    <Confirm
      look="danger"
      label={`${does} the key ${id.slice(0, 8)} of ${hostname}`}
      disabledReason={mayNot}
      question={`${does} this key of ${hostname}?`}
      does={does}
      about={
        <div className={classes.stack}>
          <code className={classes.fingerprint}>{id}</code>
          <p>
            It never works again, for no system. Where it is the only one, {hostname} cannot report until it
            has another. What was signed with it before stays as evidence.
          </p>
        </div>
      }
      act={async () => await revoke.mutateAsync({ params: { hostname, key: id } })}
    >
      {does}
    </Confirm>
  )
}
