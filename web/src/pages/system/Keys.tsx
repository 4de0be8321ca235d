import { useMay } from '../../access/may.ts'
import type { Answer } from '../../api/client.ts'
import { useChange, useRead } from '../../api/queries.ts'
import { Badge, type Tone } from '../../ui/Badge.tsx'
import { Button } from '../../ui/Button.tsx'
import { Confirm } from '../../ui/Confirm.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Mono } from '../../ui/Mono.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { ProblemNote } from '../../ui/ProblemNote.tsx'
import { Time } from '../../ui/Time.tsx'
import classes from './System.module.css'
import type { SystemAnswer } from './system-answer.ts'

type Key = Answer<'listSystemKeys'>['keys'][number]

const STATUS: Record<Key['status'], { tone: Tone; text: string; hint: string }> = {
  pending: { tone: 'warn', text: 'Pending', hint: 'It may not report until it is approved' },
  active: { tone: 'good', text: 'Active', hint: 'It may report' },
  inactive: { tone: 'quiet', text: 'Inactive', hint: 'It was taken out of the configuration' },
  revoked: { tone: 'bad', text: 'Revoked', hint: 'It never works again; what it signed stays as evidence' },
}

/** The keys it may report with, revoked ones too. */
export function Keys({ system: { hostname } }: { system: SystemAnswer }) {
  const keys = useRead('listSystemKeys', { params: { hostname } })
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
  const { tone, text, hint } = STATUS[key.status]
  return (
    <tr>
      <td className={classes.keyId}>
        <Mono value={key.id} what="key id" />
      </td>
      <td>
        <Badge tone={tone} hint={hint}>
          {text}
        </Badge>
      </td>
      <td>{key.declared ? 'configuration' : 'API or enrolment'}</td>
      <td>
        <Time at={key.created_at} />
      </td>
      <td>{key.revoked_at === null ? '–' : <Time at={key.revoked_at} />}</td>
      <td className={classes.acts}>{key.status === 'revoked' ? '–' : <KeyActs of={key} />}</td>
    </tr>
  )
}

function KeyActs({ of: { id, hostname, status } }: { of: Key }) {
  const mayNot = useMay('operator')
  const approve = useChange('approveKeys')
  const revoke = useChange('revokeSystemKey')
  return (
    <>
      {status === 'pending' && (
        <Button
          look="main"
          busy={approve.isPending}
          disabledReason={mayNot}
          onClick={() => approve.mutate({ params: { hostname }, body: { key_id: id } })}
        >
          Approve
        </Button>
      )}
      <Confirm
        look="danger"
        question="Revoke this key for ever?"
        does="Revoke"
        about={
          <p>
            <code className={classes.whole}>{id}</code> never works again, on this system or any other. Where
            it is the only one, {hostname} cannot report until it has another. What it signed stays as
            evidence.
          </p>
        }
        disabledReason={mayNot}
        act={async () => await revoke.mutateAsync({ params: { hostname, key: id } })}
      >
        Revoke
      </Confirm>
      {approve.error !== null && <ProblemNote error={approve.error} />}
    </>
  )
}
