import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { git as runGit } from '../../evaluator/git/git.ts'

/** The Git repository of the demo: a flake with a configuration for each host, on the branch `main`. */
export interface DemoRepository {
  /** Absolute path of its work tree. */
  path: string
  /** Its address as a flake. */
  url: string
}

const FLAKE = `{
  description = "The hosts of the demo";

  outputs = { self }:
    let
      # A pretended NixOS: what an evaluation looks at, and nothing to download or to build.
      nixos = import ./nixos.nix;
      names = map (builtins.replaceStrings [ ".nix" ] [ "" ]) (builtins.attrNames (builtins.readDir ./hosts));
    in {
      nixosConfigurations = builtins.listToAttrs (map
        (name: { inherit name; value = nixos name (import (./hosts + "/\${name}.nix")); })
        names);
    };
}
`

const NIXOS = `name: settings: {
  config.system = {
    nixos.version = "25.11.20251120.demo";
    stateVersion = "25.11";
    build.toplevel = derivation {
      name = "nixos-system-\${name}-25.11.20251120.demo";
      system = "x86_64-linux";
      builder = "/bin/sh";
      args = [ "-c" (builtins.toJSON settings) ];
    };
  };
}
`

const settingsOf = (message: string): string => `{
  services.openssh.enable = true;
  users.motd = ${JSON.stringify(message)};
}
`

/** Where the repository of a demo in `directory` is, or will be. */
export function findDemoRepository(directory: string): DemoRepository {
  const path = join(directory, 'nixos-configs')
  return { path, url: `git+file://${path}` }
}

/** Makes the repository in `directory`, with one commit that has a configuration for each of these hosts. */
export async function createDemoRepository(
  directory: string,
  hosts: readonly string[],
): Promise<DemoRepository> {
  const repository = findDemoRepository(directory)
  const { path } = repository
  await mkdir(join(path, 'hosts'), { recursive: true })
  await git(repository, 'init', '--quiet', '--initial-branch=main')
  await writeFile(join(path, 'flake.nix'), FLAKE)
  await writeFile(join(path, 'nixos.nix'), NIXOS)
  for (const host of hosts) await writeFile(hostFile(repository, host), settingsOf(`Welcome to ${host}.`))
  await commit(repository, 'Describe the hosts')
  return repository
}

/** Changes what a host should run; resolves with the commit. */
export async function commitChange(repository: DemoRepository, host: string): Promise<string> {
  const message = `Welcome to ${host}. This is change ${randomBytes(3).toString('hex')}.`
  await writeFile(hostFile(repository, host), settingsOf(message))
  return commit(repository, `Change the greeting of ${host}`)
}

/** As `commitChange`, and makes another host's configuration one that fails. */
export async function commitMistake(
  repository: DemoRepository,
  { changed, broken }: { changed: string; broken: string },
): Promise<string> {
  await writeFile(hostFile(repository, changed), settingsOf(`Welcome to ${changed}, since today.`))
  await writeFile(hostFile(repository, broken), `throw "which disk does ${broken} start from?"\n`)
  return commit(repository, `Greet on ${changed}, and move ${broken} to another disk`)
}

const hostFile = ({ path }: DemoRepository, host: string): string => join(path, 'hosts', `${host}.nix`)

async function commit(repository: DemoRepository, subject: string): Promise<string> {
  await git(repository, 'add', '--all')
  await git(repository, 'commit', '--quiet', '--message', subject)
  return git(repository, 'rev-parse', 'HEAD')
}

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Demo',
  GIT_AUTHOR_EMAIL: 'demo@example.org',
  GIT_COMMITTER_NAME: 'Demo',
  GIT_COMMITTER_EMAIL: 'demo@example.org',
}

async function git({ path }: DemoRepository, ...args: string[]): Promise<string> {
  const doing = `cannot make the repository ${path}`
  const { stdout } = await runGit(args, { doing, timeoutMs: 60_000, cwd: path, env: IDENTITY })
  return stdout.trim()
}
