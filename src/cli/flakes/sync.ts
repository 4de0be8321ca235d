import { Command } from 'commander'
import { explainError } from '../../lib/errors.ts'
import type { Api } from '../api.ts'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import type { ApiFlake, ApiListedCommit } from '../evaluation-api.ts'
import { print, printJson } from '../output.ts'
import { createProgress } from '../progress.ts'
import { shortSha } from '../short-sha.ts'
import { findFlake, FLAKE_ARGUMENT } from './find-flake.ts'
import { waitForHead } from './wait-for-head.ts'

interface SyncOptions extends ApiOptions {
  wait: boolean
}

export function createSyncCommand(): Command {
  const command = new Command('sync')
    .summary('have Git asked for the heads of branches')
    .description(
      'Has an evaluator ask Git for the head of the branch and evaluate it when it is new, as a webhook does. With --wait ' +
        'it ends when that is done: with status 1 when Git cannot be asked or the commit cannot be evaluated at all; ' +
        'single configurations that fail are counted.',
    )
    .argument('[flake]', `${FLAKE_ARGUMENT} (default: all)`)
    .option('--wait', 'wait until the head is evaluated, and show how far it is', false)
  return withApiOptions(command).action(async (text: string | undefined, options: SyncOptions) => {
    const api = openApi(options)
    const flakes = text === undefined ? (await api.listFlakes()).flakes : [await findFlake(api, text)]
    const asked: ApiFlake[] = []
    for (const { id } of flakes) asked.push(await api.syncFlake(id))
    if (options.wait) await finish(api, asked, options.json)
    else if (options.json) printJson({ flakes: asked.map(({ id, url }) => ({ id, url })) })
    else printAsked(asked)
  })
}

function printAsked(flakes: readonly ApiFlake[]): void {
  if (flakes.length === 0) print('no flake is followed')
  for (const { id, url } of flakes) print(`asked for the head of flake ${id}, ${url}`)
}

/** One flake that fails does not keep the others from being waited for. */
async function finish(api: Api, flakes: readonly ApiFlake[], json: boolean): Promise<void> {
  const progress = createProgress(process.stderr)
  const done: { id: number; url: string; head: ApiListedCommit }[] = []
  const failures: unknown[] = []
  for (const flake of flakes) {
    try {
      const head = await waitForHead(api, flake, progress.show)
      done.push({ id: flake.id, url: flake.url, head })
      progress.end()
      if (!json) print(headText(flake, head))
    } catch (error) {
      failures.push(error)
      progress.end()
    }
  }
  if (json) printJson({ flakes: done })
  if (failures.length === 1) throw failures[0]
  if (failures.length > 1) throw new Error(failures.map(explainError).join('\n'))
}

function headText({ id }: ApiFlake, head: ApiListedCommit): string {
  const { configurations, failed, changed } = head
  const counts = [
    `${configurations ?? 0} ${configurations === 1 ? 'configuration' : 'configurations'}`,
    ...(failed > 0
      ? [`${failed} failed (\`crystal-forge evaluations list --flake ${id} --status failed\`)`]
      : []),
    ...(changed === null ? [] : [`${changed} changed`]),
  ]
  return `flake ${id} is at ${shortSha(head.sha)}, "${head.subject ?? ''}": ${counts.join(', ')}`
}
