import { useQuery } from '@tanstack/react-query'
import {
  CircleCheck,
  CircleHelp,
  CircleX,
  Link2Off,
  ShieldCheck,
  ShieldQuestion,
  ShieldX,
} from 'lucide-react'
import type { ReactNode } from 'react'
import { Panel } from '../../ui/Panel.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import classes from './Report.module.css'
import { checkKeyOfSystem, checkReportBefore } from './standing.ts'
import { type Check, type SignedReport, verifyReport, whyImpossible } from './verify.ts'

/** The verify mark: computed in this browser, each step with its result. */
export function Verification({ report }: { report: SignedReport }) {
  const { data: verdict } = useQuery({
    queryKey: ['verifyReport', report],
    queryFn: async ({ signal }) => await verify(report, signal),
  })
  return (
    <Panel title="Verification">
      {verdict === undefined ? <Skeleton lines={18} /> : <Shown verdict={verdict} report={report} />}
    </Panel>
  )
}

type Verdict = { impossible: string } | { itself: Check[]; before: Check }

async function verify(report: SignedReport, signal: AbortSignal): Promise<Verdict> {
  const impossible = await whyImpossible()
  if (impossible !== null) return { impossible }
  const [itself, key, before] = await Promise.all([
    verifyReport(report),
    checkKeyOfSystem(report, signal),
    checkReportBefore(report, signal),
  ])
  return { itself: [...itself, key], before }
}

function Shown({ verdict, report }: { verdict: Verdict; report: SignedReport }) {
  if ('impossible' in verdict)
    return (
      <Mark kind="impossible" icon={ShieldQuestion} title="Not verified: it cannot be done here">
        {verdict.impossible} <code>docs/evidence.md</code> says how.
      </Mark>
    )
  const { itself, before } = verdict
  const failed = itself.filter(({ passed }) => passed === false)
  return (
    <>
      {failed.length > 0 ? (
        <Mark kind="not_genuine" icon={ShieldX} title="Not genuine: this is not what the system signed">
          {failed.length} of {itself.length} checks failed. What this report says proves nothing.
        </Mark>
      ) : before.passed === false ? (
        <Mark kind="not_genuine" icon={Link2Off} title="Verified, but the report before it was changed">
          This report is what the system signed. The one that it names as the one before has another body now
          than it had then: see what its own page says of it.
        </Mark>
      ) : itself.some(({ passed }) => passed === null) ? (
        <Mark
          kind="impossible"
          icon={ShieldQuestion}
          title="Signed by its key, and whose key that is was not to be had"
        >
          Computed in this browser from the bytes below. That the key is one of <bdi>{report.hostname}</bdi>{' '}
          the server could not be asked: load this page again.
        </Mark>
      ) : (
        <Mark kind="genuine" icon={ShieldCheck} title="Verified: signed by the key of this system">
          Computed in this browser from the bytes below. What is left to trust is that the key{' '}
          <code>{report.key_id.slice(0, 12)}…</code> is the one of <bdi>{report.hostname}</bdi>: compare it
          with the one on the host.
        </Mark>
      )}
      <ol className={classes.checks} aria-label="Checks">
        {[...itself, before].map((check) => (
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
  kind: 'genuine' | 'not_genuine' | 'impossible'
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
  const [Icon, word] =
    passed === null ? [CircleHelp, 'Not computed'] : passed ? [CircleCheck, 'Passed'] : [CircleX, 'Failed']
  return (
    <li data-passed={passed ?? 'unknown'}>
      <Icon aria-hidden size={18} />
      <div>
        <span>
          <strong>{word}</strong> {name}
        </span>
        <code>{found}</code>
      </div>
    </li>
  )
}
