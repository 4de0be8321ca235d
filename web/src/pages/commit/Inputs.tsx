import type { Answer } from '../../api/client.ts'
import { Revision } from '../../ui/Mono.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'

type Input = NonNullable<Answer<'getCommit'>['inputs']>[number]

const COLUMNS: readonly Column<Input>[] = [
  { head: 'Input', cell: ({ name }) => <bdi>{name}</bdi> },
  { head: 'From', cell: ({ url, type }) => <bdi>{url ?? type}</bdi> },
  { head: 'Revision', cell: ({ revision: sha }) => (sha === null ? '–' : <Revision sha={sha} />) },
  { head: 'Last modified', cell: ({ last_modified: at }) => (at === null ? '–' : <Time at={at} />) },
]

/** What the lock file of the commit names. */
export function Inputs({ inputs }: { inputs: Input[] }) {
  return (
    <Panel title="Inputs" flush>
      <Table label="Inputs" columns={COLUMNS} rows={inputs} keyOf={({ name }) => name} />
    </Panel>
  )
}
