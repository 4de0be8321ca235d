import { Page } from '../../ui/Page.tsx'

export function Evaluation() {
  return <Page title="Evaluation">{null}</Page>
}
