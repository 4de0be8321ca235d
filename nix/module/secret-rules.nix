# Secrets are read when a process starts. In the store everybody could read them.
{
  lib,
  rule,
  schema,
}:
cfg:
let
  # The agent reads its key itself, where it may also make it: the schema knows it as a path.
  isSecret = section: name: schema.${section}.${name}.isSecret or (name == "private_key");
  namesOf = section: lib.filter (isSecret section) (lib.attrNames schema.${section});
  check =
    section: values:
    lib.concatMap (
      name:
      map (
        path:
        rule (!lib.hasPrefix builtins.storeDir path)
          "${section}.${name} must not be in the store, where everybody can read it: ${path}. Use agenix or sops-nix (docs/nixos.md)."
      ) (lib.optionals (values.${name} != null) (lib.toList values.${name}))
    ) (namesOf section);
in
check "database" cfg.database
++ check "server" cfg.server
++ check "oidc" cfg.oidc
++ check "client" cfg.client
++ lib.concatMap (check "flakes") cfg.flakes
