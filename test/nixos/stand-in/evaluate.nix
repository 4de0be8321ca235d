# What a configuration, a module of NixOS, comes to: units, users and so on, and the assertions that fail.
{ configuration, lib }:
let
  package = name: mainProgram: {
    type = "derivation";
    inherit name;
    outPath = "/nix/store/00000000000000000000000000000000-${name}";
    meta = { inherit mainProgram; };
  };
  pkgs = {
    callPackage =
      file: _:
      {
        "package.nix" = package "crystal-forge" "crystal-forge";
        "agent-package.nix" = package "crystal-forge-agent" "crystal-forge-agent";
      }
      .${baseNameOf file};
    # The text itself: nothing is built.
    runCommand =
      name: attributes: script:
      package name "none" // { outPath = builtins.toFile name attributes.text; inherit script; };
    git = package "git" "git";
    openssh = package "openssh" "ssh";
    util-linux = package "util-linux" "mount";
  };
  inherit
    (lib.evalModules {
      modules = [
        ./nixos.nix
        ../../../nix/module
        configuration
      ];
      specialArgs = { inherit pkgs; };
    })
    config
    ;
in
{
  failed = map (each: each.message) (lib.filter (each: !each.assertion) config.assertions);
  checks = map (each: each.script) config.system.checks;
  inherit (config.systemd) services;
  tmpfiles = config.systemd.tmpfiles.rules;
  users = config.users.users;
  ports = config.networking.firewall.allowedTCPPorts;
  postgresql = config.services.postgresql;
  etc = config.environment.etc;
}
