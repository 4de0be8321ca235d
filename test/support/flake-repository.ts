import { join } from 'node:path'
import { parseFlakeUrl } from '../../src/fleet/flake-url.ts'
import { createMirror } from '../../src/evaluator/git/mirror.ts'
import type { FlakeSource } from '../../src/evaluator/nix/types.ts'
import { createTestRepository, type TestRepository } from './git-repository.ts'

export interface FlakeRepository extends TestRepository {
  /**
   * Commits a flake with these `nixosConfigurations`, each a Nix expression that has `nixos`, `inputs` and `self` in scope,
   * and further files; resolves with the commit in a bare mirror.
   */
  commitFlake: (
    configurations: Readonly<Record<string, string>>,
    files?: Readonly<Record<string, string | null>>,
  ) => Promise<FlakeSource>
  /** The newest commit of `main` in a bare mirror. */
  source: (options?: Partial<FlakeSource>) => Promise<FlakeSource>
}

/**
 * `nixos NAME { … }` has the shape of a NixOS configuration, without nixpkgs: what it evaluates to is known, and nothing of
 * it is built.
 */
export const NIXOS = `name:
{ version ? "22.11.20230101.abcdef0", release ? "22.11", kernel ? "5.15.86", system ? "x86_64-linux"
, content ? "", revision ? null, specialisation ? { } }:
let
  toplevel = label: derivation {
    name = "nixos-system-\${builtins.replaceStrings [ " " ] [ "_" ] label}-\${version}";
    inherit system content;
    builder = "/bin/sh";
  };
in
{
  config = {
    system.build.toplevel = toplevel name;
    system.nixos.version = version;
    system.stateVersion = release;
    system.configurationRevision = revision;
    boot.kernelPackages.kernel.version = kernel;
    specialisation = builtins.mapAttrs
      (label: _: { configuration.config = { }; configuration.system.build.toplevel = toplevel "\${name}-\${label}"; })
      specialisation;
  };
}
`

const FLAKE = `{
  outputs = { self, ... }@inputs: {
    nixosConfigurations = import ./configurations.nix { inherit self inputs; nixos = import ./nixos.nix; };
  };
}
`

/** A text as a Nix string, also as the name of an attribute. */
export const nixString = (text: string): string => JSON.stringify(text).replaceAll('${', String.raw`\${`)

/** What `configurations.nix` holds for these expressions. */
export function configurationsFile(configurations: Readonly<Record<string, string>>): string {
  const attributes = Object.entries(configurations).map(
    ([name, value]) => `  ${nixString(name)} = ${value};\n`,
  )
  return `{ self, inputs, nixos }: {\n${attributes.join('')}}\n`
}

/** A Git repository for a flake; gone when the test is over. */
export async function createFlakeRepository(): Promise<FlakeRepository> {
  const repository = await createTestRepository()
  const directory = join(repository.path, '..', 'mirror.git')
  const mirror = createMirror({
    directory,
    url: parseFlakeUrl(repository.url),
    credentials: { sshKey: null, knownHostsFile: null, netrc: null, accessTokens: null },
    timeoutMs: 60_000,
  })
  const source: FlakeRepository['source'] = async (options = {}) => {
    const { head } = await mirror.fetch('main')
    const ref = await mirror.keep(head)
    return {
      remote: repository.path,
      mirror: directory,
      ref,
      rev: head,
      directory: null,
      submodules: false,
      allowImportFromDerivation: false,
      ...options,
    }
  }
  return {
    ...repository,
    source,
    commitFlake: async (configurations, files = {}) => {
      await repository.commit({
        'flake.nix': FLAKE,
        'nixos.nix': NIXOS,
        'configurations.nix': configurationsFile(configurations),
        ...files,
      })
      return source()
    },
  }
}
