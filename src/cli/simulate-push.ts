import { randomBytes } from 'node:crypto'
import { Command, InvalidArgumentError, Option } from 'commander'
import { notOurs, refusal, unreachable } from './api-client.ts'
import { print, printJson } from './output.ts'
import { findTarget, type Target, type TargetOptions } from './simulate-push/target.ts'
import { createWebhook, type Provider, PROVIDERS, type Webhook } from './simulate-push/webhook.ts'

interface Options extends TargetOptions {
  commit?: string
  provider: Provider
  json: boolean
}

interface Answer {
  outcome: 'accepted' | 'ignored'
  reason: string | null
  flake_ids: number[]
}

export function createSimulatePushCommand(): Command {
  return new Command('simulate-push')
    .description(
      'Sends a server the signed webhook of a push, as a Git host does. The server then asks Git what is true, so that ' +
        'the commit need not exist. Secrets, flake and address are those of the configuration unless given.',
    )
    .option('--flake <url>', 'the flake that was pushed to (else the only one of the configuration)')
    .option('--branch <name>', "the branch that was pushed to (else the flake's, else main)")
    .option('--commit <sha>', 'what was pushed (else made up)', parseCommit)
    .addOption(
      new Option('--provider <name>', 'whose webhook it looks like').choices(PROVIDERS).default('github'),
    )
    .option('--secret-file <path>', 'file with the secret that signs it')
    .option('--url <url>', 'where the server is (else CRYSTAL_FORGE_URL, else that of the configuration)')
    .option('--json', 'print JSON', false)
    .action(run)
}

async function run({ commit = randomBytes(20).toString('hex'), provider, json, ...options }: Options) {
  const target = findTarget(options, process.env)
  const { remote, branch, url } = target
  const webhook = createWebhook(provider, { remote, branch, commit }, target.secret, Date.now())
  const answer = await send(target, webhook)
  if (json) printJson({ ...answer, remote, branch, commit })
  else if (answer.outcome === 'accepted') print(`${url.href} asks Git for the head of ${branch} of ${remote}`)
  if (answer.outcome === 'ignored')
    throw new Error(
      `${url.href} ignored it: ${(answer.reason ?? '').replaceAll('_', ' ')} (${branch} of ${remote})`,
    )
}

/** Longer than the server has a webhook wait for its turn. */
const TIMEOUT_MS = 30_000

async function send({ url }: Target, { path, headers, body }: Webhook): Promise<Answer> {
  const root = new URL(url.href.endsWith('/') ? url.href : `${url.href}/`)
  let response: Response
  let text: string
  try {
    response = await fetch(new URL(path, root), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    text = await response.text()
  } catch (error) {
    throw unreachable(url, error)
  }
  if (!response.ok) throw refusal(url, response, text, false)
  const answer = parseOrNull(text)
  if (!isAnswer(answer)) throw notOurs(url, response)
  return answer
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null && 'outcome' in value && 'flake_ids' in value
}

function parseCommit(text: string): string {
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text))
    throw new InvalidArgumentError('has to be a whole commit hash: 40 or 64 hex digits')
  return text
}
