import { Page } from '../../ui/Page.tsx'

export function Systems() {
  return <Page title="Systems">{null}</Page>
}
