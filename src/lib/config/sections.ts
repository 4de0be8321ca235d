import { boolean, choice, duration, integer, list, size, text } from './kinds.ts'
import { computed, defaulted, optional, plainFile, secretFile, type Key } from './key.ts'
import { authority, cidr, databaseHost, host, listen, origin, urlHost } from './network-kinds.ts'
import { path, secret } from './value-kinds.ts'
import { defaultStateDirectory, STATE_DIRECTORY_TEXT } from './state-directory.ts'

const stateDirectory = (description: string): Key<string> =>
  computed(path, defaultStateDirectory, {
    description,
    defaultText: STATE_DIRECTORY_TEXT,
    example: '/var/lib/crystal_forge',
  })

export const database = {
  description:
    'Where PostgreSQL is. Without `host` the server starts a PostgreSQL of its own under its `state_dir`; a separate evaluator needs `host`.',
  keys: {
    host: optional(databaseHost, {
      description:
        'Name or address of the PostgreSQL server, or the directory of its Unix socket. Of several, such as `db1,db2:5433`, the one that accepts writes is used.',
      example: 'localhost',
    }),
    port: defaulted(integer(1, 65_535), 5432, {
      description: 'Port of the PostgreSQL server, unless `host` names it.',
    }),
    user: defaulted(text, 'crystal_forge', { description: 'Role to connect as.' }),
    password: {
      ...optional(secret, {
        description: 'Password of the role. Readable by all who can read the file: prefer `password_file`.',
        example: 'password',
      }),
      secret: true,
    },
    password_file: secretFile(
      optional(path, {
        description: 'File that holds the password; instead of `password`.',
        example: '/run/secrets/database-password',
      }),
      'password',
      ['database'],
    ),
    name: defaulted(text, 'crystal_forge', { description: 'Name of the database.' }),
    ssl: defaulted(choice(['disable', 'require', 'verify-full']), 'disable', {
      description: 'TLS to PostgreSQL; only `verify-full` proves which server answers.',
      example: 'verify-full',
    }),
    ca_file: plainFile(
      optional(path, {
        description: 'Certificates (PEM) to trust with `verify-full`, instead of those of Node.js.',
        example: '/etc/crystal-forge/database-ca.pem',
      }),
      ['database'],
    ),
    max_connections: defaulted(integer(2, 1000), 10, {
      description: 'Connections a process opens at most, also to the embedded PostgreSQL.',
    }),
  },
} as const

export const server = {
  description: 'The server: `crystal-forge server`.',
  keys: {
    host: defaulted(host, '0.0.0.0', { description: 'Address to listen on.' }),
    port: defaulted(integer(0, 65_535), 3000, { description: 'Port to listen on; 0 takes a free one.' }),
    public_url: optional(origin, {
      description:
        'Where agents and people reach the server. With it, or `authorities`, requests for another Host are refused.',
      example: 'https://forge.example.org',
    }),
    authorities: defaulted(list(authority), [], {
      description: 'Further Host names agents may use.',
      example: ['forge.internal:3000'],
    }),
    trusted_proxies: defaulted(list(cidr), [], {
      description: 'Address ranges of proxies whose `X-Forwarded-*` is believed.',
      example: ['127.0.0.1/32'],
    }),
    metrics_listen: optional(listen, {
      description: 'Address of its own for `/metrics`, where no token is needed.',
      example: '127.0.0.1:9464',
    }),
    anonymous_read: defaulted(boolean, false, { description: 'Whether anyone may read without a token.' }),
    state_dir: stateDirectory('Directory of the embedded PostgreSQL and of what the server keeps on disk.'),
    tls_cert_file: plainFile(
      optional(path, {
        description: 'Certificate chain (PEM), to serve HTTPS without a proxy; with `tls_key_file`.',
        example: '/var/lib/acme/forge.example.org/fullchain.pem',
      }),
      ['server'],
    ),
    tls_key_file: secretFile(
      optional(path, {
        description: 'Private key (PEM) of the certificate.',
        example: '/var/lib/acme/forge.example.org/key.pem',
      }),
      'tls_key',
      ['server'],
    ),
    processes: defaulted(integer(1, 64), 1, {
      description:
        'Processes that serve, on the same addresses: as many as cores of the machine that are to be used. Each has its own connections to PostgreSQL.',
    }),
    evaluate: defaulted(boolean, true, { description: 'Whether to run an evaluator in this process.' }),
    accept_v0_agents: defaulted(boolean, false, {
      description: 'Whether to serve agents of the earlier protocol, version 0.',
    }),
    webhook_secret_files: secretFile(
      defaulted(list(path), [], {
        description:
          'Files with secrets that sign webhooks for every flake without one of its own, each on a line; several while one replaces another.',
        example: ['/run/secrets/webhook'],
      }),
      'webhook_secrets',
      ['server'],
    ),
  },
} as const

export const client = {
  description: 'The agent: `crystal-forge agent`. It needs `server_host` or `server_url`.',
  keys: {
    server_host: optional(urlHost, {
      description: 'Name or address of the server, reached without TLS: for loopback and private networks.',
      example: 'localhost',
    }),
    server_port: defaulted(integer(1, 65_535), 3000, {
      description: 'Port of the server; with `server_host`.',
    }),
    server_url: optional(origin, {
      description: 'Address of the server with its scheme; instead of `server_host` and `server_port`.',
      example: 'https://forge.example.org',
    }),
    private_key: optional(path, {
      description:
        'Key of this machine, readable only by its owner. Without it the agent uses, and makes, `host.key` in its `state_dir`.',
      example: '/var/lib/crystal_forge/host.key',
    }),
    ca_file: plainFile(
      optional(path, {
        description: 'Certificates (PEM) to trust, instead of those of Node.js.',
        example: '/etc/crystal-forge/ca.pem',
      }),
      ['agent'],
    ),
    enrollment_token_file: secretFile(
      optional(path, {
        description: 'File with the token that registers a key the server does not know.',
        example: '/run/secrets/enrollment-token',
      }),
      'enrollment_token',
      ['agent'],
    ),
    heartbeat_interval: defaulted(duration('1s', '1h'), '60s', {
      description: 'Time between heartbeats, until the server says otherwise.',
    }),
    state_dir: stateDirectory('Directory of reports not yet sent, and of the sequence numbers.'),
    rootfs: defaulted(path, '/', { description: 'Where `/proc`, `/sys`, `/etc` and `/run` are read from.' }),
  },
} as const

export const evaluator = {
  description: 'Evaluation, in the server or by `crystal-forge evaluator`.',
  keys: {
    workers: defaulted(integer(1, 256), 2, { description: 'Evaluations at the same time.' }),
    memory_budget: defaulted(size('256MiB', '16TiB'), '8GiB', {
      description: 'Memory that all evaluations together may use.',
    }),
    timeout: defaulted(duration('1s', '1d'), '10m', { description: 'Time one evaluation may take.' }),
    poll_interval: defaulted(duration('1s', '1d'), '5m', {
      description: 'Time between two questions to a Git server for the head of a branch.',
    }),
  },
} as const

export const liveness = {
  description: 'When a system counts as late or offline.',
  keys: {
    heartbeat_interval: defaulted(duration('10s', '1h'), '60s', {
      description: 'Time between heartbeats that the server asks its agents for.',
    }),
    late_after: defaulted(duration('1s', '30d'), '3m', {
      description: 'Time without contact after which a system is late; at least 3 of its own intervals.',
    }),
    offline_after: defaulted(duration('1s', '30d'), '15m', {
      description: 'Time without contact after which a system is offline; at least 10 of its own intervals.',
    }),
  },
} as const

export const retention = {
  description: 'How long the past is kept.',
  keys: {
    reports: defaulted(duration('1d', '36500d'), '400d', {
      description: 'Age at which state reports are deleted, but for those that present states rest on.',
    }),
    online_periods: defaulted(duration('1d', '36500d'), '400d', {
      description: 'Age at which periods of being online are deleted.',
    }),
    events: defaulted(duration('1d', '36500d'), '400d', {
      description: 'Age at which changes of drift, flags and branches are deleted.',
    }),
    history: defaulted(duration('1d', '36500d'), '400d', {
      description: 'Age at which the counts of the fleet, kept every 15 minutes, are deleted.',
    }),
    audit: defaulted(duration('1d', '36500d'), '1095d', {
      description: 'Age at which records of the audit trail are deleted.',
    }),
  },
} as const
