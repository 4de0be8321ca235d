import { useQuery } from '@tanstack/react-query'
import { CircleCheck, CircleX, ShieldCheck, ShieldQuestion, ShieldX } from 'lucide-react'
import type { ReactNode } from 'react'
import { Panel } from '../../ui/Panel.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import classes from './Report.module.css'
import { type Check, type SignedReport, type Verdict, verifyReport } from './verify.ts'

/** The verify mark: computed in this browser, each step with its result. */
export function Verification({ report }: { report: SignedReport }) {
  const { data: verdict } = useQuery({
    queryKey: ['verifyReport', report],
    queryFn: async () => await verifyReport(report),
    staleTime: Infinity,
  })
  return (
    <Panel title="Verification">
      {verdict === undefined ? <Skeleton lines={5} /> : <Shown verdict={verdict} report={report} />}
    </Panel>
  )
}

function Shown({ verdict, report }: { verdict: Verdict; report: SignedReport }) {
  if (verdict.kind === 'impossible')
    return (
      <Mark kind="impossible" icon={ShieldQuestion} title="Not verified: it cannot be done here">
        {verdict.why} <code>docs/evidence.md</code> says how.
      </Mark>
    )
  const failed = verdict.checks.filter(({ passed }) => !passed)
  return (
    <>
      {verdict.kind === 'genuine' ? (
        <Mark kind="genuine" icon={ShieldCheck} title="Verified: signed by the key of this system">
          Computed in this browser from the bytes below. What is left to trust is that the key{' '}
          <code>{report.key_id.slice(0, 12)}…</code> is the one of <bdi>{report.hostname}</bdi>: compare it
          with the one on the host.
        </Mark>
      ) : (
        <Mark kind="not_genuine" icon={ShieldX} title="Not genuine: this is not what the system signed">
          {failed.length} of {verdict.checks.length} checks failed. What this report says proves nothing.
        </Mark>
      )}
      <ol className={classes.checks} aria-label="Checks">
        {verdict.checks.map((check) => (
          <Step key={check.name} check={check} />
        ))}
      </ol>
    </>
  )
}

function Mark({
  kind,
  icon: Icon,
  title,
  children,
}: {
  kind: Verdict['kind']
  icon: typeof ShieldCheck
  title: string
  children: ReactNode
}) {
  return (
    <div className={classes.mark} data-kind={kind} role="status">
      <Icon aria-hidden size={40} strokeWidth={1.75} />
      <div>
        <strong>{title}</strong>
        <p>{children}</p>
      </div>
    </div>
  )
}

function Step({ check: { name, found, passed } }: { check: Check }) {
  const Icon = passed ? CircleCheck : CircleX
  return (
    <li data-passed={passed}>
      <Icon aria-hidden size={18} />
      <div>
        <span>
          <strong>{passed ? 'Passed' : 'Failed'}</strong> {name}
        </span>
        <code>{found}</code>
      </div>
    </li>
  )
}
