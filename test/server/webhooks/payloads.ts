/** What a push is in a test; each provider's payload says it in the form that the provider publishes. */
export interface TestPush {
  /** `owner/name` */
  repository: string
  host: string
  ref: string
  before: string
  after: string
}

export const COMMIT = '0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c'
export const ZEROS = '0'.repeat(40)

export const createPush = (members: Partial<TestPush> = {}): TestPush => ({
  repository: 'yourorg/nixos-configs',
  host: 'git.example.org',
  ref: 'refs/heads/main',
  before: '6113728f27ae82c7b1a177c8d03f9e96e0adf246',
  after: COMMIT,
  ...members,
})

const nameOf = ({ repository }: TestPush) => repository.split('/').at(-1)
const ownerOf = ({ repository }: TestPush) => repository.split('/')[0]

/** https://docs.github.com/en/webhooks/webhook-events-and-payloads#push */
export function githubPush(push: TestPush): object {
  const web = `https://${push.host}/${push.repository}`
  const user = {
    login: 'octocat',
    id: 21031067,
    node_id: 'MDQ6VXNlcjIxMDMxMDY3',
    html_url: `https://${push.host}/octocat`,
    type: 'User',
    site_admin: false,
  }
  const commit = {
    id: push.after,
    tree_id: 'f9d2a07e9488b91af2641b26b9407fe22a451433',
    distinct: true,
    message: 'web1: open the port of the exporter',
    timestamp: '2026-11-20T15:20:41Z',
    url: `${web}/commit/${push.after}`,
    author: { name: 'Octo Cat', email: 'octocat@example.org', username: 'octocat' },
    committer: { name: 'GitHub', email: 'noreply@github.com', username: 'web-flow' },
    added: [],
    removed: [],
    modified: ['hosts/web1.nix'],
  }
  const isDeleted = push.after === ZEROS
  return {
    ref: push.ref,
    before: push.before,
    after: push.after,
    created: push.before === ZEROS,
    deleted: isDeleted,
    forced: false,
    base_ref: null,
    compare: `${web}/compare/${push.before.slice(0, 12)}...${push.after.slice(0, 12)}`,
    commits: isDeleted ? [] : [commit],
    head_commit: isDeleted ? null : commit,
    repository: {
      id: 186853002,
      node_id: 'MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=',
      name: nameOf(push),
      full_name: push.repository,
      private: true,
      owner: { ...user, name: ownerOf(push), email: 'octocat@example.org' },
      html_url: web,
      description: null,
      fork: false,
      url: web,
      git_refs_url: `https://api.${push.host}/repos/${push.repository}/git/refs{/sha}`,
      created_at: 1557933565,
      updated_at: '2026-11-20T15:20:41Z',
      pushed_at: 1557933657,
      git_url: `git://${push.host}/${push.repository}.git`,
      ssh_url: `git@${push.host}:${push.repository}.git`,
      clone_url: `${web}.git`,
      svn_url: web,
      homepage: null,
      default_branch: 'main',
    },
    pusher: { name: 'octocat', email: 'octocat@example.org' },
    sender: user,
  }
}

/** https://docs.github.com/en/webhooks/webhook-events-and-payloads#ping */
export function githubPing(push: TestPush): object {
  const { repository } = { repository: {}, ...githubPush(push) }
  return {
    zen: 'Keep it logically awesome.',
    hook_id: 109948940,
    hook: { type: 'Repository', id: 109948940, name: 'web', active: true, events: ['push'] },
    repository,
  }
}

/** https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events and #tag-events */
export function gitlabPush(push: TestPush, kind: 'push' | 'tag_push' = 'push'): object {
  const web = `https://${push.host}/${push.repository}`
  const [ssh, http] = [`git@${push.host}:${push.repository}.git`, `${web}.git`]
  return {
    object_kind: kind,
    event_name: kind,
    before: push.before,
    after: push.after,
    ref: push.ref,
    ref_protected: true,
    checkout_sha: push.after === ZEROS ? null : push.after,
    message: null,
    user_id: 4,
    user_name: 'John Smith',
    user_username: 'jsmith',
    user_email: 'john@example.org',
    user_avatar: null,
    project_id: 15,
    project: {
      id: 15,
      name: nameOf(push),
      description: '',
      web_url: web,
      avatar_url: null,
      git_ssh_url: ssh,
      git_http_url: http,
      namespace: ownerOf(push),
      visibility_level: 0,
      path_with_namespace: push.repository,
      default_branch: 'main',
      homepage: web,
      url: ssh,
      ssh_url: ssh,
      http_url: http,
    },
    commits: [
      {
        id: push.after,
        message: 'Update the exporters.\n\nSee the ticket.',
        title: 'Update the exporters.',
        timestamp: '2026-11-20T14:27:31+02:00',
        url: `${web}/-/commit/${push.after}`,
        author: { name: 'John Smith', email: 'john@example.org' },
        added: ['CHANGELOG'],
        modified: ['hosts/web1.nix'],
        removed: [],
      },
    ],
    total_commits_count: 1,
    push_options: {},
    repository: {
      name: nameOf(push),
      url: ssh,
      description: '',
      homepage: web,
      git_http_url: http,
      git_ssh_url: ssh,
      visibility_level: 0,
    },
  }
}

/** https://docs.gitea.com/usage/webhooks and https://forgejo.org/docs/latest/user/webhooks/ have the same. */
export function giteaPush(push: TestPush): object {
  const web = `https://${push.host}/${push.repository}`
  const user = {
    id: 1,
    login: 'gitea',
    full_name: 'Gitea',
    email: 'someone@example.org',
    avatar_url: `https://${push.host}/avatars/1`,
    username: 'gitea',
  }
  return {
    ref: push.ref,
    before: push.before,
    after: push.after,
    compare_url: `${web}/compare/${push.before}...${push.after}`,
    commits: [
      {
        id: push.after,
        message: 'Webhooks Yay!',
        url: `${web}/commit/${push.after}`,
        author: { name: 'Gitea', email: 'someone@example.org', username: 'gitea' },
        committer: { name: 'Gitea', email: 'someone@example.org', username: 'gitea' },
        timestamp: '2026-11-20T13:52:11-04:00',
      },
    ],
    repository: {
      id: 140,
      owner: user,
      name: nameOf(push),
      full_name: push.repository,
      description: '',
      private: false,
      fork: false,
      html_url: web,
      ssh_url: `ssh://git@${push.host}:2222/${push.repository}.git`,
      clone_url: `${web}.git`,
      website: '',
      stars_count: 0,
      forks_count: 1,
      watchers_count: 1,
      open_issues_count: 7,
      default_branch: 'main',
      created_at: '2026-02-26T04:29:06-05:00',
      updated_at: '2026-03-13T13:51:58-04:00',
    },
    pusher: user,
    sender: user,
  }
}

export function genericPush({ host, repository, ref, after }: TestPush): object {
  return { repository: `ssh://git@${host}/${repository}.git`, ref, after }
}
