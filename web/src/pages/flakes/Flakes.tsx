import { Page } from '../../ui/Page.tsx'

export function Flakes() {
  return <Page title="Flakes">{null}</Page>
}
