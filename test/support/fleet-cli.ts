import { runCli } from './cli.ts'
import type { TestServer } from './test-server.ts'

export interface CliResult {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs commands as processes of their own that know `server` and its admin token from their environment. */
export function fleetCli(server: Pick<TestServer, 'url' | 'adminToken'>, env: Record<string, string> = {}) {
  const run = (...args: string[]): Promise<CliResult> =>
    runCli(args, {
      cwd: '/',
      env: { CRYSTAL_FORGE_URL: server.url, CRYSTAL_FORGE_TOKEN: server.adminToken, ...env },
    })
  return {
    run,
    /** What a command that has to succeed prints with --json. */
    // oxlint-disable-next-line typescript/no-explicit-any -- the tests say what they expect in it
    json: async (...args: string[]): Promise<any> => {
      const { code, stdout, stderr } = await run(...args, '--json')
      if (code !== 0) throw new Error(`crystal-forge ${args.join(' ')} exited with ${code}: ${stderr}`)
      return JSON.parse(stdout)
    },
  }
}
