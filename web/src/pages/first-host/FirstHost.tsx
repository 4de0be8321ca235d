import { Page } from '../../ui/Page.tsx'

export function FirstHost() {
  return <Page title="The first host">{null}</Page>
}
