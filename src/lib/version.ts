import packageFile from '../../package.json' with { type: 'json' }

/** The version of everything here: server, evaluator, agent and CLI come from one package. */
export const VERSION: string = packageFile.version
