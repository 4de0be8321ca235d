import { Page } from '../../ui/Page.tsx'

export function Flake() {
  return <Page title="Flake">{null}</Page>
}
