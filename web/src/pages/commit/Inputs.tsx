import type { Answer } from '../../api/client.ts'
import { Mono } from '../../ui/Mono.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Time } from '../../ui/Time.tsx'

/** What the lock file of the commit names. */
export function Inputs({ inputs }: { inputs: NonNullable<Answer<'getCommit'>['inputs']> }) {
  return (
    <Panel title="Inputs" flush>
      <table>
        <thead>
          <tr>
            <th scope="col">Input</th>
            <th scope="col">From</th>
            <th scope="col">Revision</th>
            <th scope="col">Last modified</th>
          </tr>
        </thead>
        <tbody>
          {inputs.map(({ name, type, url, revision, last_modified: modified }) => (
            <tr key={name}>
              <td>
                <bdi>{name}</bdi>
              </td>
              <td>
                <bdi>{url ?? type}</bdi>
              </td>
              <td>
                {revision === null ? (
                  '–'
                ) : (
                  <Mono value={revision} what="revision" short={revision.slice(0, 10)} />
                )}
              </td>
              <td>{modified === null ? '–' : <Time at={modified} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  )
}
