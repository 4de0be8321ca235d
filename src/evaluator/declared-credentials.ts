import { parseFlakeUrl } from '../fleet/flake-url.ts'
import type { FlakeConfig } from '../lib/config/load.ts'
import type { FlakeRow } from '../store/flakes.ts'
import type { Credentials } from './credentials.ts'

type Flake = Pick<FlakeRow, 'url' | 'repository' | 'branch'>

/**
 * What the configuration gives for a flake's repository. Files are the configuration's alone to name; a flake that came
 * over the API has those of its repository. Where several declarations have the repository, that of the same branch
 * counts before the others.
 */
export function createDeclaredCredentials(declared: readonly FlakeConfig[]): (flake: Flake) => Credentials {
  const places = declared.map((config) => {
    const { remote, repository, branch } = parseFlakeUrl(config.url)
    return { config, repository, branch: config.branch ?? branch, isPlain: isPlain(remote) }
  })
  return (flake) => {
    const isOpen = isPlain(parseFlakeUrl(flake.url).remote)
    const fitting = places
      // What was declared for TLS or SSH is not said aloud.
      .filter(({ repository, ...place }) => repository === flake.repository && (place.isPlain || !isOpen))
      .toSorted((one, other) => Number(other.branch === flake.branch) - Number(one.branch === flake.branch))
      .map(({ config }) => config)
    const first = <Key extends keyof FlakeConfig>(key: Key): FlakeConfig[Key] | null =>
      fitting.find((config) => config[key] !== null)?.[key] ?? null
    return {
      sshKey: first('ssh_key'),
      knownHostsFile: first('known_hosts_file'),
      netrc: first('netrc'),
      accessTokens: first('access_tokens'),
    }
  }
}

const isPlain = (remote: string): boolean => remote.startsWith('http:')
