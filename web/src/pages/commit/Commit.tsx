import { Page } from '../../ui/Page.tsx'

export function Commit() {
  return <Page title="Commit">{null}</Page>
}
