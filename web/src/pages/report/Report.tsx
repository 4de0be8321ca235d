import { Link, useParams } from '@tanstack/react-router'
import { Download } from 'lucide-react'
import { addressOf } from '../../api/client.ts'
import { useRead } from '../../api/queries.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Page } from '../../ui/Page.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { About } from './About.tsx'
import { Body } from './Body.tsx'
import classes from './Report.module.css'
import { SignedRequest } from './SignedRequest.tsx'
import { Verification } from './Verification.tsx'

/** The signed report itself: what proves everything that is said of a system. */
export function Report() {
  const { digest } = useParams({ from: '/shell/reports/$digest' })
  const report = useRead('getReport', { params: { digest } })
  const title = `Report ${shortDigest(digest)}`
  const { data } = report
  if (data === undefined)
    return (
      <Page title={title} above={<Link to="/systems">Systems</Link>}>
        <Loaded
          from={report}
          skeleton={<Skeleton lines={16} />}
          missing={
            <Empty title="There is no report of this id">
              <p>
                It never came, or it is older than reports are kept. An id is <code>sha256:</code> and 64
                digits.
              </p>
              <Link to="/systems">All systems, each with its reports</Link>
            </Empty>
          }
        >
          {() => null}
        </Loaded>
      </Page>
    )
  const { hostname } = data
  return (
    <Page
      title={title}
      above={
        <>
          <Link to="/systems">Systems</Link> /{' '}
          <Link to="/systems/$hostname" params={{ hostname }}>
            {hostname}
          </Link>{' '}
          /{' '}
          <Link to="/systems/$hostname" params={{ hostname }} search={{ tab: 'reports' }}>
            Reports
          </Link>
        </>
      }
      actions={
        <a
          className={classes.download}
          href={addressOf('getReport', { params: { digest } })}
          download={`report-${shortDigest(digest)}.json`}
        >
          <Download aria-hidden size={16} /> Evidence
        </a>
      }
    >
      <Verification report={data} />
      <About report={data} />
      <Panel title="What was signed">
        <SignedRequest report={data} />
      </Panel>
      <Body report={data} />
    </Page>
  )
}

/** `sha256:0123456789ab…` as `0123456789ab`. */
function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12)
}
