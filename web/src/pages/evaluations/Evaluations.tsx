import { Page } from '../../ui/Page.tsx'

export function Evaluations() {
  return <Page title="Evaluations">{null}</Page>
}
