{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.crystal-forge;
  user = "crystal_forge";
  unit = "crystal-forge-server";

  process = import ./process.nix { inherit lib cfg; } {
    inherit unit;
    readers = [
      "database"
      "server"
    ];
    sections = [
      "database"
      "server"
      "oidc"
      "liveness"
      "retention"
      "flakes"
      "systems"
    ];
  };

  inherit (import ./config-file.nix {
    inherit lib pkgs;
    inherit (cfg) package;
  }) checked toToml;

  configFile = checked {
    name = "crystal-forge-server.toml";
    # The unit crystal-forge-evaluator evaluates: what runs beside other people's code must not hold the server's secrets.
    text = toToml (process.config // { server = process.config.server // { evaluate = false; }; });
  };

  needsLowPort = cfg.server.port < 1024;
in
{
  config = lib.mkIf (cfg.enable && cfg.server.enable) {
    users.users.${user} = {
      isSystemUser = true;
      group = user;
      description = "Crystal Forge server";
    };
    users.groups.${user} = { };

    networking.firewall.allowedTCPPorts = lib.optional cfg.server.openFirewall cfg.server.port;

    environment.systemPackages = [ cfg.package ];
    environment.etc."crystal-forge/config.toml".source = configFile;

    systemd.services.${unit} = import ./service.nix { inherit config lib pkgs; } {
      description = "Crystal Forge server";
      inherit user;
      stateDir = cfg.server.state_dir;
      inherit (process) credentials;
      environment.CONFIG_PATH = "${configFile}";
      serviceConfig = {
        ExecStart = "${lib.getExe cfg.package} server";
        # A migration of a large database takes its time.
        TimeoutStartSec = "30min";
        MemoryMax = "${toString (2 * cfg.server.processes)}G";
        TasksMax = 256 * cfg.server.processes;
        LimitNOFILE = 65536;
      }
      // lib.optionalAttrs needsLowPort {
        AmbientCapabilities = "CAP_NET_BIND_SERVICE";
        CapabilityBoundingSet = "CAP_NET_BIND_SERVICE";
        # In a user namespace of its own the capability would not count.
        PrivateUsers = false;
      };
    };
  };
}
