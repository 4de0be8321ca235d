import type { Config } from '../../lib/config/load.ts'
import type { OidcSettings } from './provider.ts'

/** Null without a provider. The configuration was checked: with an issuer there are a client and a public URL. */
export function oidcSettingsOf({ oidc, server }: Pick<Config, 'oidc' | 'server'>): OidcSettings | null {
  if (oidc.issuer === null || oidc.client_id === null || server.public_url === null) return null
  return {
    issuer: oidc.issuer,
    clientId: oidc.client_id,
    clientSecret: oidc.client_secret,
    name: oidc.name,
    scopes: oidc.scopes,
    groupsClaim: oidc.groups_claim,
    roleGroups: { viewer: oidc.viewer_groups, operator: oidc.operator_groups, admin: oidc.admin_groups },
    redirectUri: `${server.public_url}/auth/oidc/callback`,
  }
}
