import { Page } from '../../ui/Page.tsx'

export function Report() {
  return <Page title="Report">{null}</Page>
}
