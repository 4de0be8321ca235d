import { Link } from '@tanstack/react-router'
import { recordOf } from '../../keys.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Facts } from '../../ui/Facts.tsx'
import { Mono, StorePath } from '../../ui/Mono.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Time } from '../../ui/Time.tsx'
import { chainOf, REASONS } from './texts.ts'
import { type SignedReport, textOf } from './verify.ts'

/** Whose it is, when it was made and came, and its place among the others. */
export function About({ report }: { report: SignedReport }) {
  const { hostname, previous, dropped, protocol } = report
  const chain = chainOf(report.chain)
  const running = runningPath(report)
  return (
    <Panel title="The report">
      <Facts
        of={{
          System: (
            <Link to="/systems/$hostname" params={{ hostname }}>
              {hostname}
            </Link>
          ),
          Runs: running === null ? null : <StorePath path={running} />,
          Digest: <Mono value={report.id} what="digest" />,
          Key: <Mono value={report.key_id} what="key id" />,
          Received: <Time at={report.received_at} />,
          Observed: (
            <>
              <Time at={report.observed_at} />, by the clock of the host
            </>
          ),
          'Made because': REASONS[report.reason] ?? report.reason,
          Chain: (
            <>
              <Badge tone={chain.tone} icon={chain.icon}>
                {chain.text}
              </Badge>{' '}
              {chain.hint}
            </>
          ),
          'Report before':
            previous === null ? (
              'none'
            ) : (
              <Link to="/reports/$digest" params={{ digest: previous }}>
                <code>{previous}</code>
              </Link>
            ),
          'Lost before it':
            dropped === 0 ? null : `${dropped} ${dropped === 1 ? 'report' : 'reports'}, as the host says`,
          Sequence: String(report.sequence),
          Protocol: `version ${protocol}`,
        }}
      />
    </Panel>
  )
}

/** What it proves above all, from the signed bytes themselves; null in the form of version 0, which says it elsewhere. */
function runningPath(report: SignedReport): string | null {
  try {
    const { current } = recordOf(recordOf(JSON.parse(textOf(report)))['system'])
    return typeof current === 'string' ? current : null
  } catch {
    return null
  }
}
