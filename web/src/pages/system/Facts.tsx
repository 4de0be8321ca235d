import { Link } from '@tanstack/react-router'
import type { Answer } from '../../api/client.ts'
import { usePages } from '../../api/pages.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Time } from '../../ui/Time.tsx'
import { FactChanges } from './FactChanges.tsx'
import { FACT_GROUPS, type NamedFact, valueAt } from './fact-names.ts'
import { FactValue } from './FactValue.tsx'
import classes from './System.module.css'
import type { SystemAnswer } from './system-answer.ts'

type ChangedReport = Answer<'listFactChanges'>['reports'][number]

/** What the machine is, by its newest report, with what changed, and how it changed over time. */
export function Facts({ system }: { system: SystemAnswer }) {
  const { hostname } = system
  const pages = usePages('listFactChanges', { params: { hostname }, query: {} })
  const reports = pages.data?.pages.flatMap((page) => page.reports) ?? []
  if (system.fingerprint === null)
    return (
      <Panel title="Facts">
        <Empty title="Nothing is known of the machine">
          <p>It has sent no report yet.</p>
        </Empty>
      </Panel>
    )
  return (
    <>
      {system.report_id !== null && system.observed_at !== null && (
        <p>
          As its newest{' '}
          <Link to="/reports/$digest" params={{ digest: system.report_id }}>
            signed report
          </Link>{' '}
          says, made <Time at={system.observed_at} />.
        </p>
      )}
      <div className={classes.groups}>
        {FACT_GROUPS.map(({ title, facts }) => (
          <Panel key={title} title={title}>
            <dl className={classes.factList}>
              {facts.map((fact) => (
                <Fact
                  key={fact.path}
                  fact={fact}
                  value={valueAt({ fingerprint: system.fingerprint }, fact.path)}
                  changed={reports.find(({ changes }) => changes.some(({ path }) => isOf(path, fact)))}
                />
              ))}
            </dl>
          </Panel>
        ))}
      </div>
      <FactChanges pages={pages} />
    </>
  )
}

function isOf(path: string, fact: NamedFact): boolean {
  return path === fact.path || path.startsWith(`${fact.path}/`) || fact.path.startsWith(`${path}/`)
}

function Fact({
  fact,
  value,
  changed,
}: {
  fact: NamedFact
  value: unknown
  changed: ChangedReport | undefined
}) {
  return (
    <div data-changed={changed !== undefined}>
      <dt>{fact.name}</dt>
      <dd>
        <FactValue value={value} kind={fact.kind} />
        {changed !== undefined && (
          <>
            {' '}
            <Link to="/reports/$digest" params={{ digest: changed.report_id }} className={classes.changed}>
              <Badge tone="info">
                changed <Time at={changed.observed_at} />
              </Badge>
            </Link>
          </>
        )}
      </dd>
    </div>
  )
}
