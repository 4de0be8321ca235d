import { Command } from 'commander'
import type { ApiJob } from './api.ts'
import { type ApiOptions, openApi, withApiOptions } from './api-options.ts'
import { type Column, printJson, printTable } from './output.ts'
import { formatAge } from './times.ts'

export function createJobsCommand(): Command {
  const command = new Command('jobs').description(
    'Lists what the server does by itself: when each job last ran, what came of it, and when it runs next. "never" is ' +
      'an alarm, but for a job that has no work, such as poll-flakes without flakes.',
  )
  return withApiOptions(command).action(async (options: ApiOptions) => {
    const api = openApi(options)
    const { jobs } = await api.listJobs()
    if (options.json) printJson({ jobs })
    else printTable(columns(api.serverTime()), jobs, 'no server has started its jobs yet')
  })
}

const columns = (now: number): Column<ApiJob>[] => [
  { header: 'job', value: ({ name }) => name },
  { header: 'last done', value: ({ finished_at }) => formatAge(finished_at, now) ?? 'never' },
  { header: 'next', value: ({ next_at }) => formatAge(next_at, now) },
  { header: 'last failed', value: ({ failed_at }) => formatAge(failed_at, now) },
  { header: 'error', value: ({ error }) => error },
]
