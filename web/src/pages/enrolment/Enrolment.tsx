import { Page } from '../../ui/Page.tsx'

export function Enrolment() {
  return <Page title="Enrolment and keys">{null}</Page>
}
