import type { Answer } from '../api/client.ts'

export interface SearchOption {
  key: string
  text: string
  /** What tells it from others of the same text. */
  aside: string | null
  to: Target
}

export interface SearchGroup {
  title: string
  options: SearchOption[]
}

/** Where a router goes. */
type Target =
  | { to: '/systems'; search: { text: string } }
  | { to: '/systems/$hostname'; params: { hostname: string } }
  | { to: '/flakes/$id'; params: { id: string } }
  | { to: '/flakes/$id/commits/$sha'; params: { id: string; sha: string } }

/** The list of all systems that a text names, which is where Enter leads when nothing found was chosen. */
export function allSystems(text: string): SearchOption {
  return {
    key: 'all',
    text: `All systems with “${text}” in their name`,
    aside: null,
    to: { to: '/systems', search: { text } },
  }
}

/** What was found, by its kind; a kind of which nothing was found is left out. */
export function groupsOf({ systems, flakes, commits }: Answer<'searchAll'>): SearchGroup[] {
  const groups: SearchGroup[] = [
    {
      title: 'Systems',
      options: systems.map(({ hostname, environment }) => ({
        key: `system-${hostname}`,
        text: hostname,
        aside: environment,
        to: { to: '/systems/$hostname', params: { hostname } },
      })),
    },
    {
      title: 'Flakes',
      options: flakes.map(({ id, url, branch }) => ({
        key: `flake-${id}`,
        text: url,
        aside: branch,
        to: { to: '/flakes/$id', params: { id: String(id) } },
      })),
    },
    {
      title: 'Commits',
      options: commits.map(({ sha, flake_id: id, subject }) => ({
        key: `commit-${id}-${sha}`,
        text: subject ?? 'Without a subject',
        aside: sha.slice(0, 10),
        to: { to: '/flakes/$id/commits/$sha', params: { id: String(id), sha } },
      })),
    },
  ]
  return groups.filter(({ options }) => options.length > 0)
}
