import { repositoryKey } from '../../fleet/repository-key.ts'
import { invalidAt } from '../../protocol/problems.ts'
import { member, textMember } from './payload.ts'
import type { Provider } from './providers.ts'

/** Why a webhook that is in order does nothing. */
export type IgnoredReason =
  | 'not_a_push'
  | 'tag'
  | 'deleted'
  | 'other_branch'
  | 'unknown_repository'
  | 'repeated'

/** What a webhook says happened, in one form for all providers. */
export interface Announcement {
  event: string
  /** `repositoryKey` of each address that the payload has for the repository, without repetitions. */
  repositories: string[]
  ref: string | null
  after: string | null
  /** The branch that was pushed to; null where `ignored` says why that does not matter. */
  branch: string | null
  ignored: IgnoredReason | null
}

const ADDRESSES = ['clone_url', 'ssh_url', 'html_url', 'git_url', 'url']
const GITLAB_ADDRESSES = ['git_http_url', 'git_ssh_url', 'http_url', 'ssh_url', 'web_url', 'url']

/**
 * What the payload of a provider's `event` announces. Throws Problem `invalid` for a push that does not say of which
 * repository, or of what.
 */
export function readAnnouncement(provider: Provider, event: string, payload: unknown): Announcement {
  const kind = kindOf(provider, event, payload)
  const repositories = repositoriesOf(provider, payload)
  const [ref, after] = [textMember(payload, 'ref'), textMember(payload, 'after')]
  const common = { event, repositories, ref, after, branch: null }
  if (kind !== 'push') return { ...common, ignored: kind }
  if (repositories.length === 0) throw invalidAt('/repository', 'has no address of a Git repository')
  if (ref === null || ref === '')
    throw invalidAt('/ref', 'has to be the full name of a ref, such as refs/heads/main')
  if (after !== null && !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(after))
    throw invalidAt('/after', 'has to be a commit, of 40 or 64 hex digits')
  if (ref.startsWith('refs/tags/')) return { ...common, ignored: 'tag' }
  if (!ref.startsWith('refs/heads/')) return { ...common, ignored: 'other_branch' }
  if (member(payload, 'deleted') === true || (after !== null && /^0+$/.test(after)))
    return { ...common, ignored: 'deleted' }
  return { ...common, branch: ref.slice('refs/heads/'.length), ignored: null }
}

/** GitLab's system hooks have one event for everything, so that there the payload says what it is. */
function kindOf(provider: Provider, event: string, payload: unknown): 'push' | 'tag' | 'not_a_push' {
  if (provider === 'generic') return 'push'
  if (provider !== 'gitlab') return event === 'push' ? 'push' : 'not_a_push'
  const kind = textMember(payload, 'object_kind') ?? textMember(payload, 'event_name')
  return kind === 'push' ? 'push' : kind === 'tag_push' ? 'tag' : 'not_a_push'
}

function repositoriesOf(provider: Provider, payload: unknown): string[] {
  const repository = member(payload, 'repository')
  const addresses =
    provider === 'generic'
      ? [repository]
      : provider === 'gitlab'
        ? [member(payload, 'project'), repository].flatMap((object) =>
            GITLAB_ADDRESSES.map((name) => member(object, name)),
          )
        : ADDRESSES.map((name) => member(repository, name))
  const keys = addresses.map((address) =>
    typeof address === 'string' && address.length <= 2000 ? repositoryKey(address) : null,
  )
  return [...new Set(keys.filter((key) => key !== null))]
}
