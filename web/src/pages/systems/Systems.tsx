import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { Download } from 'lucide-react'
import { addressOf } from '../../api/client.ts'
import button from '../../ui/Button.module.css'
import { Empty } from '../../ui/Empty.tsx'
import { Page } from '../../ui/Page.tsx'
import { ProblemNote } from '../../ui/ProblemNote.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { ChooseColumns } from './ChooseColumns.tsx'
import { useColumns } from './chosen-columns.ts'
import { Filters } from './Filters.tsx'
import { isFiltered, type SystemsSearch } from './search.ts'
import classes from './Systems.module.css'
import { SystemTable } from './SystemTable.tsx'
import { useSystems } from './use-systems.ts'

export function Systems() {
  const search = useSearch({ from: '/shell/systems' })
  const navigate = useNavigate({ from: '/systems' })
  const [columns, setColumns] = useColumns()
  const systems = useSystems(search)
  const { total, error, hasNews, refresh } = systems
  const change = (next: SystemsSearch): void => void navigate({ search: next, replace: true })
  return (
    <Page
      title="Systems"
      actions={
        <>
          <ChooseColumns chosen={columns} choose={setColumns} />
          <a
            className={button.button}
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
        <div className={classes.found}>
          <p role="status">
            {total === null ? ' ' : `${total.toLocaleString()} ${total === 1 ? 'system' : 'systems'}`}
          </p>
          {hasNews && (
            <button type="button" className={classes.news} onClick={refresh}>
              Show what changed
            </button>
          )}
        </div>
        {error !== null && <ProblemNote error={error} retry={refresh} />}
        {total === null && error === null && (
          <div className={classes.box}>
            <Skeleton lines={24} />
          </div>
        )}
        {total === 0 && <NothingFound filtered={isFiltered(search)} />}
        {total !== null && total > 0 && (
          <SystemTable
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
  return (
    <div className={classes.box}>
      {filtered ? (
        <Empty title="No system is like that">
          <p>Take a filter away, or all of them.</p>
          <Link to="/systems" className={button.button}>
            Show all systems
          </Link>
        </Empty>
      ) : (
        <Empty title="There is no system yet">
          <p>A system is here as soon as its host has enrolled, or when an operator added it.</p>
          <Link to="/first-host" className={button.button} data-look="main">
            Let the first host report
          </Link>
        </Empty>
      )}
    </div>
  )
}
