import { Page } from '../../ui/Page.tsx'

export function System() {
  return <Page title="System">{null}</Page>
}
