import { useRead } from '../../api/queries.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Mono } from '../../ui/Mono.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { Time } from '../../ui/Time.tsx'
import { ApproveKey } from '../enrolment/ApproveKey.tsx'
import { type Key, KEY_STATES } from '../enrolment/key-states.ts'
import { RevokeKey } from '../enrolment/RevokeKey.tsx'
import classes from './System.module.css'
import type { SystemAnswer } from './system-answer.ts'

/** That a key asks to be let in is no event. */
const AGAIN_MS = 20_000

/** The keys it may report with, revoked ones too. */
export function Keys({ system: { hostname } }: { system: SystemAnswer }) {
  const keys = useRead('listSystemKeys', { params: { hostname } }, { again: () => AGAIN_MS })
  return (
    <Panel title="Keys" flush>
      <Loaded from={keys}>
        {({ keys: list }) =>
          list.length === 0 ? (
            <Empty title="It has no key yet">
              <p>Its agent enrols itself with a token, or a key is added by the command line.</p>
            </Empty>
          ) : (
            <table>
              <thead>
                <tr>
                  <th scope="col">Key id</th>
                  <th scope="col">Status</th>
                  <th scope="col">From</th>
                  <th scope="col">Added</th>
                  <th scope="col">Revoked</th>
                  <th scope="col">What can be done</th>
                </tr>
              </thead>
              <tbody>
                {list.map((key) => (
                  <KeyRow key={key.id} of={key} />
                ))}
              </tbody>
            </table>
          )
        }
      </Loaded>
    </Panel>
  )
}

function KeyRow({ of: key }: { of: Key }) {
  const { id, status, declared, created_at: added, revoked_at: revoked } = key
  return (
    <tr>
      <td className={classes.keyId}>
        <Mono value={id} what="key id" />
      </td>
      <td>
        <StateBadge state={KEY_STATES[status]} />
      </td>
      <td>{declared ? 'configuration' : 'API or enrolment'}</td>
      <td>
        <Time at={added} />
      </td>
      <td>{revoked === null ? '–' : <Time at={revoked} />}</td>
      <td className={classes.acts}>
        {status === 'pending' && <ApproveKey of={key} />}{' '}
        {status === 'revoked' ? (
          '–'
        ) : (
          <RevokeKey of={key} does={status === 'pending' ? 'Refuse' : 'Revoke'} />
        )}
      </td>
    </tr>
  )
}
