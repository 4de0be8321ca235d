import { Fingerprint } from 'lucide-react'
import { Link } from '@tanstack/react-router'
import { useRead } from '../../api/queries.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Panel } from '../../ui/Panel.tsx'
import classes from './Enrolment.module.css'
import { HostLink } from './HostLink.tsx'

const SHOWN = 20

/** Systems of whose key two machines have a copy; nothing is shown while there is none. */
export function Conflicts() {
  const { data } = useRead('listSystems', { query: { flag: 'identity_conflict', limit: SHOWN } })
  if (data === undefined || data.total === 0) return null
  return (
    <Panel
      title="Identity conflicts"
      actions={
        <Badge tone="bad" icon={Fingerprint}>
          {data.total} {data.total === 1 ? 'system' : 'systems'}
        </Badge>
      }
    >
      <div className={classes.stack}>
        <p>
          Two machines report with one key: a disk or a backup was copied. Give each a key of its own, revoke
          the one that was copied, then acknowledge the flag on the page of the system.
        </p>
        <ul className={classes.conflicts}>
          {data.systems.map(({ hostname }) => (
            <li key={hostname}>
              <HostLink hostname={hostname} />
            </li>
          ))}
          {data.total > SHOWN && (
            <li>
              <Link to="/systems" search={{ flag: 'identity_conflict' }}>
                All {data.total}
              </Link>
            </li>
          )}
        </ul>
      </div>
    </Panel>
  )
}
