import { Link } from '@tanstack/react-router'
import { Page } from '../../ui/Page.tsx'
import { AllKeys } from './AllKeys.tsx'
import { Conflicts } from './Conflicts.tsx'
import { EnrolTokens } from './EnrolTokens.tsx'
import { WaitingKeys } from './WaitingKeys.tsx'

/** Who is let in: what needs a decision first, then the tokens that let in, then all keys. */
export function Enrolment() {
  return (
    <Page title="Enrolment and keys" actions={<Link to="/first-host">Let a host report, step by step</Link>}>
      <Conflicts />
      <WaitingKeys />
      <EnrolTokens />
      <AllKeys />
    </Page>
  )
}
