{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.crystal-forge;
  user = "crystal_forge_agent";
  unit = "crystal-forge-agent";

  schema = import ./schema.nix { inherit lib; };
  # A key in the state directory is the agent's own, and made by it where there is none: nothing to load before it runs.
  isOwnKey = lib.hasPrefix "${cfg.client.state_dir}/" "${cfg.client.private_key}";
  hasLoadedKey = cfg.client.private_key != null && !isOwnKey;

  process = import ./process.nix { inherit lib cfg; } {
    inherit unit;
    readers = [ "agent" ];
    sections = [ "client" ];
    schema = schema // {
      client = schema.client // {
        private_key = schema.client.private_key // lib.optionalAttrs hasLoadedKey { readers = [ "agent" ]; };
      };
    };
  };

  variables = lib.mapAttrs' (
    name: value: lib.nameValuePair "CRYSTAL_FORGE__CLIENT__${lib.toUpper name}" (toString value)
  ) process.config.client;

  configFile = import ./config-file.nix {
    inherit lib pkgs;
    inherit (cfg) package;
  };

  # Identifiers of the machine that sysfs shows to root alone.
  rootOnly = [
    "board_serial"
    "chassis_serial"
    "product_uuid"
  ];
in
{
  config = lib.mkIf (cfg.enable && cfg.client.enable) {
    users.users.${user} = {
      isSystemUser = true;
      group = user;
      description = "Crystal Forge agent";
    };
    users.groups.${user} = { };

    systemd.tmpfiles.rules = map (
      name: "z /sys/devices/virtual/dmi/id/${name} 0440 root ${user} - -"
    ) rootOnly;

    system.checks = [
      (configFile.checked {
        name = "crystal-forge-agent-environment";
        text = "";
        environment = variables;
      })
    ];

    systemd.services.${unit} =
      import ./service.nix { inherit config lib pkgs; } {
        description = "Crystal Forge agent";
        inherit user;
        stateDir = cfg.client.state_dir;
        inherit (process) credentials;
        # Nothing of /etc/crystal-forge/config.toml, which is the server's.
        environment =
          lib.mapAttrs (_: lib.replaceStrings [ "%" ] [ "%%" ]) variables
          // {
            CONFIG_PATH = "/dev/null";
          };
        serviceConfig = {
          ExecStart = lib.getExe cfg.agentPackage;
          # It reads /proc/cpuinfo, /proc/meminfo and /proc/sys.
          ProcSubset = "all";
          # It has to see when the machine is given another name.
          ProtectHostname = false;
          # It asks the kernel which addresses the machine has.
          RestrictAddressFamilies = (import ./hardening.nix).RestrictAddressFamilies ++ [ "AF_NETLINK" ];
          SocketBindDeny = "any";
          MemoryMax = "256M";
          TasksMax = 64;
        };
      }
      // {
        # A switch that brings another agent stops the running one when the new system is in place, not before: it has seen
        # the switch by then, and what it has not sent waits in its spool.
        stopIfChanged = false;
      };
  };
}
