import { Command, Option } from 'commander'
import { AUDIT_ACTIONS } from '../store/audit-actions.ts'
import type { ApiAuditEntry, AuditFilter } from './api.ts'
import { type ApiOptions, openApi, withApiOptions } from './api-options.ts'
import { parsePositive } from './option-parsers.ts'
import { type Column, print, printJson, printTable } from './output.ts'
import { formatTime } from './times.ts'

interface AuditOptions extends ApiOptions, AuditFilter {
  limit: number
}

export function createAuditCommand(): Command {
  const command = new Command('audit')
    .description(
      'Lists changes, the newest first: who made each, and what is different. Takes the token of an admin.',
    )
    .option('--actor <name>', 'only those of this user, token, host or command')
    .addOption(new Option('--action <action>', 'only these').choices(AUDIT_ACTIONS))
    .option('--subject <name>', 'only those of this host, flake, commit, user or token')
    .option('--limit <number>', 'how many at most', parsePositive, 100)
  return withApiOptions(command).action(async (options: AuditOptions) => {
    const api = openApi(options)
    const { actor, action, subject, limit } = options
    const filter = {
      ...(actor !== undefined && { actor }),
      ...(action !== undefined && { action }),
      ...(subject !== undefined && { subject }),
    }
    const found = await api.listAudit(filter, limit + 1)
    const records = found.slice(0, limit)
    if (options.json) return printJson({ records })
    printTable(columns(api.serverTime()), records, 'no record of such a change')
    if (found.length > limit) print(`there are more than these ${limit}: give filters, or a greater --limit`)
  })
}

const columns = (now: number): Column<ApiAuditEntry>[] => [
  { header: 'time', value: ({ at }) => formatTime(at, now) },
  { header: 'who', value: ({ actor }) => `${actor.kind} ${actor.name}` },
  { header: 'from', value: ({ actor }) => actor.address },
  { header: 'action', value: ({ action }) => action },
  { header: 'what', value: ({ subject }) => subject.name },
  { header: 'changes', value: ({ before, after }) => changesText(before, after) },
]

/** `environment: "lab" → "production"`; of what came or went its members that say anything. */
function changesText(before: unknown, after: unknown): string | null {
  const [old, now] = [membersOf(before), membersOf(after)]
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])]
  const parts = names.map((name) => {
    if (before === null || after === null) {
      const value = (after === null ? old : now)[name]
      return value === null || value === false ? null : `${name}: ${JSON.stringify(value)}`
    }
    return `${name}: ${JSON.stringify(old[name])} → ${JSON.stringify(now[name])}`
  })
  const said = parts.filter((part) => part !== null)
  return said.length === 0 ? null : said.join(', ')
}

function membersOf(state: unknown): Record<string, unknown> {
  return typeof state === 'object' && state !== null ? Object.fromEntries(Object.entries(state)) : {}
}
