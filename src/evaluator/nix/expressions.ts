/**
 * The only Nix we write. What varies comes in as arguments (`--argstr`), never as part of the text. `getFlake` of a
 * locked reference, rather than an installable, because `FLAKE#NAME` would look into the flake's packages first.
 */

/**
 * `{ url, directory }` → in pure mode, which refuses what is not locked: `lock`, the text of flake.lock or null; `paths`, where
 * the commit and its inputs are in the store. Of the flake's own code it evaluates nothing.
 */
export const FETCH = `
{ url, directory }:
let
  source = builtins.fetchTree url;
  place = "\${source.outPath}/\${directory}";
  type = if builtins.pathExists place then (builtins.readDir place)."flake.lock" or null else null;
  lock =
    if type == null then null
    # A link could lead out of the repository, and Nix 2.8 follows it.
    else if type == "regular" then builtins.readFile "\${place}/flake.lock"
    else throw "flake.lock is a \${type}, not a regular file";
  nodes = if lock == null then { } else (builtins.fromJSON lock).nodes;
  fetch = name:
    let node = nodes.\${name};
    in if node ? locked && !(node ? parent) then
      [ (builtins.fetchTree (builtins.removeAttrs node.locked [ "dir" ])).outPath ]
    else [ ];
in
{
  inherit lock;
  paths = [ source.outPath ] ++ builtins.concatMap fetch (builtins.attrNames nodes);
}
`

/** `{ url }` → the names of `nixosConfigurations`, null when the flake has none. */
export const LIST_CONFIGURATIONS = `
{ url }: {
  result =
    let flake = builtins.getFlake url;
    in if flake ? nixosConfigurations then builtins.attrNames flake.nixosConfigurations else null;
}
`

/**
 * `{ url, names, nonce }` → evaluates the configurations of the JSON array `names` one after the other, and says by
 * `trace`, each line beginning with the nonce that no flake can know:
 *
 *     NONCE start INDEX
 *     NONCE thrown INDEX              it throws: what Nix says next is its message
 *     NONCE toplevel INDEX {"drv":…,"out":…}
 *     NONCE facts INDEX {…}
 *
 * so that a process that dies at one configuration keeps what it said of those before. What a configuration may lack
 * comes last, each guarded: it costs nothing but itself.
 */
export const EVALUATE = `
{ url, names, nonce }:
let
  configurations = (builtins.getFlake url).nixosConfigurations;
  wanted = builtins.fromJSON names;
  say = word: index: text: builtins.trace "\${nonce} \${word} \${toString index}\${text}";
  guarded = value: let tried = builtins.tryEval value; in if tried.success then tried.value else null;
  textOf = value:
    guarded (if builtins.isString value then builtins.unsafeDiscardStringContext value else null);
  evaluate = index:
    let
      inherit (configurations.\${builtins.elemAt wanted index}) config;
      inherit (config.system.build) toplevel;
      # Not by their own names: toJSON takes a set with outPath for that path.
      paths = builtins.toJSON { drv = toplevel.drvPath; out = toplevel.outPath; };
      specialisations = guarded (config.specialisation or { });
      facts = builtins.toJSON {
        system = textOf (toplevel.system or null);
        nixosVersion = textOf (config.system.nixos.version or null);
        kernelVersion = textOf (config.boot.kernelPackages.kernel.version or null);
        stateVersion = textOf (config.system.stateVersion or null);
        embedsRevision = guarded (config.system.configurationRevision or null) != null;
        specialisations = map (name: {
          inherit name;
          out = textOf (specialisations.\${name}.configuration.system.build.toplevel.outPath or null);
        }) (if builtins.isAttrs specialisations then builtins.attrNames specialisations else [ ]);
      };
      finish = say "toplevel" index " \${paths}" (say "facts" index " \${facts}" null);
    in
    say "start" index "" (
      # A failed value is computed again when it is asked for again: this time its error ends the process.
      if (builtins.tryEval paths).success then finish else say "thrown" index "" finish
    );
in
{
  # What is wrong with the whole flake comes before any configuration.
  result = builtins.seq configurations
    (builtins.foldl' (_: evaluate) null (builtins.genList (index: index) (builtins.length wanted)));
}
`
