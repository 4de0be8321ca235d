import { list, text } from './kinds.ts'
import { defaulted, optional, secretFile } from './key.ts'
import { issuer } from './network-kinds.ts'
import { path } from './value-kinds.ts'

export const oidc = {
  description:
    'Sign-in with an OpenID Connect provider, beside passwords. A person gets the highest role that a group of theirs gives, at each sign-in anew; without one of these groups nobody gets in.',
  keys: {
    issuer: optional(issuer, {
      description:
        'Address of the provider, as its discovery document says it. Its client has to have `<public_url>/auth/oidc/callback` as redirect URI.',
      example: 'https://id.example.org/realms/infra',
    }),
    client_id: optional(text, {
      description: 'Name of this server at the provider.',
      example: 'crystal-forge',
    }),
    client_secret_file: secretFile(
      optional(path, {
        description: 'File with the secret of the client; without it the client is a public one.',
        example: '/run/secrets/oidc-client',
      }),
      'client_secret',
      ['server'],
    ),
    name: defaulted(text, 'single sign-on', {
      description: 'What the button calls it: "Sign in with …".',
      example: 'Keycloak',
    }),
    scopes: defaulted(list(text), ['openid', 'profile'], {
      description: 'Scopes to ask for.',
      example: ['openid', 'profile', 'groups'],
    }),
    groups_claim: defaulted(text, 'groups', {
      description:
        "Claim with a person's groups, in the ID token or else in the answer of the userinfo endpoint.",
    }),
    viewer_groups: defaulted(list(text), [], {
      description: 'Groups whose members may read.',
      example: ['staff'],
    }),
    operator_groups: defaulted(list(text), [], {
      description: 'Groups whose members are operators.',
      example: ['infra'],
    }),
    admin_groups: defaulted(list(text), [], {
      description: 'Groups whose members are admins.',
      example: ['infra-leads'],
    }),
  },
} as const
