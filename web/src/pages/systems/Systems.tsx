import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { Download } from 'lucide-react'
import { addressOf } from '../../api/client.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Page } from '../../ui/Page.tsx'
import { ProblemNote } from '../../ui/ProblemNote.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { ChooseColumns } from './ChooseColumns.tsx'
import { useColumns } from './chosen-columns.ts'
import { Filters } from './Filters.tsx'
import type { SystemsSearch } from './search.ts'
import classes from './Systems.module.css'
import { SystemTable } from './SystemTable.tsx'
import { useSystems } from './use-systems.ts'

export function Systems() {
  const search = useSearch({ from: '/shell/systems' })
  const navigate = useNavigate({ from: '/systems' })
  const [columns, setColumns] = useColumns()
  const systems = useSystems(search)
  const change = (next: SystemsSearch): void => void navigate({ search: next, replace: true })
  return (
    <Page
      title="Systems"
      actions={
        <>
          <ChooseColumns chosen={columns} choose={setColumns} />
          <a
            className={classes.csv}
            href={addressOf('listSystems', { query: { ...search, format: 'csv' } })}
            download
          >
            <Download aria-hidden size={16} /> CSV
          </a>
        </>
      }
    >
      <div className={classes.page}>
        <Filters search={search} change={change} />
        <p className={classes.found} role="status">
          {systems.total === null
            ? ' '
            : `${systems.total.toLocaleString()} ${systems.total === 1 ? 'system' : 'systems'}`}
          {systems.hasNews && (
            <button type="button" className={classes.news} onClick={systems.refresh}>
              Show what changed
            </button>
          )}
        </p>
        {systems.error !== null && <ProblemNote error={systems.error} retry={systems.refresh} />}
        {systems.total === null && systems.error === null && <Skeleton lines={12} />}
        {systems.total === 0 && (
          <NothingFound filtered={Object.keys(search).some((name) => name !== 'sort')} />
        )}
        {systems.total !== null && systems.total > 0 && (
          <SystemTable
            // another list begins at its top
            key={JSON.stringify(search)}
            systems={systems}
            columns={columns}
            sort={search.sort ?? 'hostname'}
            sortBy={(sort) => change({ ...search, sort })}
          />
        )}
      </div>
    </Page>
  )
}

function NothingFound({ filtered }: { filtered: boolean }) {
  return filtered ? (
    <Empty title="No system is like that">
      <Link to="/systems">Show all systems</Link>
    </Empty>
  ) : (
    <Empty title="There is no system yet">
      <Link to="/first-host">Let the first host report</Link>
    </Empty>
  )
}
