import { boolean, integer, list, text } from './kinds.ts'
import { defaulted, optional, plainFile, required, secretFile } from './key.ts'
import { systemName } from './network-kinds.ts'
import { branch, flakeUrl, path, publicKey, storePath } from './value-kinds.ts'

export const flakes = {
  description: 'Git repositories to follow. What is declared here cannot be changed through the API.',
  keys: {
    url: required(flakeUrl, {
      description: 'Address of the repository, without credentials.',
      example: 'git+https://github.com/yourorg/nixos-configs',
    }),
    branch: optional(branch, {
      description: "Branch to follow; the remote's HEAD if not given.",
      example: 'main',
    }),
    webhook_secret_file: secretFile(
      optional(path, {
        description:
          "File with the secret that signs this flake's webhooks, instead of `[server] webhook_secret_files`; several lines while one replaces another.",
        example: '/run/secrets/webhook',
      }),
      'webhook_secret',
      ['server'],
    ),
    ssh_key_file: secretFile(
      optional(path, {
        description: 'Private SSH key that may read the repository and its private inputs.',
        example: '/run/secrets/deploy-key',
      }),
      'ssh_key',
      ['evaluator'],
    ),
    known_hosts_file: plainFile(
      optional(path, {
        description: 'Host keys of the SSH servers, as in `~/.ssh/known_hosts`.',
        example: '/etc/crystal-forge/known_hosts',
      }),
      ['evaluator'],
    ),
    netrc_file: secretFile(
      optional(path, {
        description: 'Credentials for HTTPS, in the form of `netrc`.',
        example: '/run/secrets/netrc',
      }),
      'netrc',
      ['evaluator'],
    ),
    access_tokens_file: secretFile(
      optional(path, {
        description: "Tokens in the form of Nix's `access-tokens`: `github.com=… gitlab.com=…`.",
        example: '/run/secrets/access-tokens',
      }),
      'access_tokens',
      ['evaluator'],
    ),
    allow_import_from_derivation: defaulted(boolean, false, {
      description: 'Whether its evaluation may build derivations.',
    }),
    search_depth: defaulted(integer(1, 10_000), 100, {
      description: 'Commits of the branch, newest first, that are searched for what a system runs.',
    }),
  },
} as const

// The private key of this example was never kept.
const EXAMPLE_KEY = 'Gu3mIlfaXViKSGWDQfyheFphCzc9EpzL8M5FzgylJ38='

export const systems = {
  description: 'Systems to watch. What is declared here cannot be changed through the API.',
  keys: {
    hostname: required(systemName, {
      description: 'Name the system is registered under.',
      example: 'server1',
    }),
    flake_url: optional(flakeUrl, {
      description: 'Address of the flake that says what the system should run.',
      example: 'git+https://github.com/yourorg/nixos-configs',
    }),
    configuration: optional(text, {
      description: 'Its name in `nixosConfigurations`; `hostname` if not given.',
      example: 'server1',
    }),
    public_key: optional(publicKey, {
      description: 'Public key of its agent.',
      example: EXAMPLE_KEY,
    }),
    public_keys: defaulted(list(publicKey), [], {
      description: 'Several of them, while one replaces another.',
      example: [EXAMPLE_KEY],
    }),
    environment: optional(text, { description: 'Environment it belongs to.', example: 'production' }),
    derivation: optional(storePath, {
      description: 'Pinned path: the system it should run, whatever the flake says.',
      example: '/nix/store/00bgd045z0d4icpbc2yyz4gx48ak44la-nixos-system-server1',
    }),
  },
} as const
