# The options of NixOS that nix/module sets or reads, and no others.
{ lib, ... }:
let
  inherit (lib) mkOption types;
  option = type: default: mkOption { inherit type default; description = "Of NixOS."; };
  texts = option (types.listOf types.str) [ ];
  value = types.either types.bool (types.either types.int (types.either types.str (types.listOf types.str)));
  unit = {
    description = option types.str "";
    wantedBy = texts;
    wants = texts;
    requires = texts;
    after = texts;
    path = option (types.listOf types.package) [ ];
    environment = option (types.attrsOf types.str) { };
    unitConfig = option (types.attrsOf value) { };
    serviceConfig = option (types.attrsOf value) { };
    stopIfChanged = option types.bool true;
  };
  submodules = options: option (types.attrsOf (types.submodule { inherit options; })) { };
  package = name: {
    type = "derivation";
    inherit name;
    outPath = "/nix/store/00000000000000000000000000000000-${name}";
  };
in
{
  options = {
    assertions = option (types.listOf types.anything) [ ];
    environment.systemPackages = option (types.listOf types.package) [ ];
    environment.etc = submodules { source = mkOption { type = types.path; description = "Of NixOS."; }; };
    networking.firewall.allowedTCPPorts = option (types.listOf (types.ints.between 0 65535)) [ ];
    networking.proxy.envVars = option (types.attrsOf types.str) { };
    nix.enable = option types.bool true;
    nix.package = option types.package (package "nix");
    services.postgresql = {
      enable = option types.bool false;
      ensureDatabases = texts;
      ensureUsers = option (types.listOf (
        types.submodule {
          options.name = option types.str "";
          options.ensureDBOwnership = option types.bool false;
        }
      )) [ ];
      identMap = option types.lines "";
      authentication = option types.lines "";
    };
    system.checks = option (types.listOf types.package) [ ];
    systemd.package = option types.package (package "systemd");
    systemd.services = submodules unit;
    systemd.tmpfiles.rules = texts;
    users.users = submodules {
      isSystemUser = option types.bool false;
      group = option types.str "";
      description = option types.str "";
    };
    users.groups = submodules { };
  };
}
