import { useParams } from '@tanstack/react-router'
import type { ComponentType } from 'react'
import { NotFound } from '../../shell/NotFound.tsx'
import { Account } from './Account.tsx'
import { ApiTokens } from './ApiTokens.tsx'
import { Health } from './Health.tsx'
import { Jobs } from './Jobs.tsx'
import { type Section, SettingsPage } from './SettingsPage.tsx'
import { Users } from './Users.tsx'
import { Webhooks } from './Webhooks.tsx'

/** The audit trail has a route of its own: what it is searched for is in its address. */
const CONTENT: Record<Exclude<Section, 'audit'>, ComponentType> = {
  account: Account,
  users: Users,
  tokens: ApiTokens,
  webhooks: Webhooks,
  jobs: Jobs,
  health: Health,
}

export function Settings() {
  const { section = 'account' } = useParams({ strict: false })
  if (!isSection(section)) return <NotFound />
  const Content = CONTENT[section]
  return (
    <SettingsPage section={section}>
      <Content />
    </SettingsPage>
  )
}

function isSection(name: string): name is keyof typeof CONTENT {
  return Object.hasOwn(CONTENT, name)
}
