# The NixOS module services.crystal-forge; docs/nixos.md tells how to use it.
{ lib, ... }:
{
  imports = [
    (lib.mkAliasOptionModule
      [ "services" "crystal-forge" "database" "passwordFile" ]
      [ "services" "crystal-forge" "database" "password_file" ]
    )
    ./options.nix
    ./assertions.nix
    ./database.nix
    ./server.nix
    ./evaluator.nix
    ./agent.nix
  ];
}
