import manifest from '../../package.json' with { type: 'json' }

/** The version of this package: server, agent and CLI have one. */
export const VERSION: string = manifest.version
