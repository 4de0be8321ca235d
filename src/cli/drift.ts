import { Command } from 'commander'
import type { DriftState } from '../fleet/drift.ts'
import type { ApiListedSystem } from './api.ts'
import { type ApiOptions, openApi, withApiOptions } from './api-options.ts'
import { formatDrift } from './drift-texts.ts'
import { EXIT } from './exit.ts'
import { escapeControls, printJson } from './output.ts'

/** In which it is known that something has to be done: it runs something else, or nothing can say what it has to run. */
const DRIFTED: ReadonlySet<DriftState> = new Set([
  'unmanaged',
  'wrong_configuration',
  'off_branch',
  'pinned_mismatch',
  'behind',
  'evaluation_failed',
])

type Judged = ApiListedSystem & { drift: NonNullable<ApiListedSystem['drift']> }

export function createDriftCommand(): Command {
  const command = new Command('drift')
    .description(
      'Lists every system that is not in sync, the worst first, of one kind the oldest first: why, since when, what it ' +
        'runs and what it should run. What counts is how a system stands to the newest commit with a good evaluation, so ' +
        'that a push does not hide drift.',
    )
    .option(
      '--exit-code',
      'exit with 3 when any system has drifted: it runs something else than it has to, or no commit gives a system for ' +
        'it. Systems that wait for an evaluation, have nothing assigned or have not reported are listed, and do not count',
      false,
    )
  return withApiOptions(command).action(async (options: ApiOptions & { exitCode: boolean }) => {
    const api = openApi(options)
    const systems = (await api.listOutOfSync()).filter(isJudged)
    const drifted = systems.filter(({ drift }) => DRIFTED.has(drift.standing)).length
    if (options.json)
      printJson({ drifted, systems: systems.map(({ hostname, drift }) => ({ hostname, ...drift })) })
    else process.stdout.write(formatAll(systems, drifted, api.serverTime()))
    if (options.exitCode && drifted > 0) process.exitCode = EXIT.found
  })
}

const isJudged = (system: ApiListedSystem): system is Judged => system.drift !== null

function formatAll(systems: readonly Judged[], drifted: number, now: number): string {
  if (systems.length === 0) return 'every system is in sync\n'
  const blocks = systems.map(
    ({ hostname, drift }) => `${escapeControls(hostname)}\n${formatDrift(drift, now, '  ')}`,
  )
  const others = systems.length - drifted
  return `${blocks.join('\n')}\n${drifted} drifted${others === 0 ? '' : `, ${others} not known to be in sync`}\n`
}
