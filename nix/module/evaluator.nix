{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.crystal-forge;
  user = "crystal_forge_evaluator";
  unit = "crystal-forge-evaluator";
  inherit (import ./units.nix { inherit lib; }) readSize;

  process = import ./process.nix { inherit lib cfg; } {
    inherit unit;
    readers = [
      "database"
      "evaluator"
    ];
    sections = [
      "database"
      "evaluator"
      "flakes"
    ];
  };

  inherit (import ./config-file.nix {
    inherit lib pkgs;
    inherit (cfg) package;
  }) checked toToml;

  configFile = checked {
    name = "crystal-forge-evaluator.toml";
    text = toToml process.config;
  };

  # Git and Node beside the evaluations.
  ownMemory = readSize "1GiB";
in
{
  config = lib.mkIf (cfg.enable && cfg.evaluator.enable) {
    users.users.${user} = {
      isSystemUser = true;
      group = user;
      description = "Crystal Forge evaluator";
    };
    users.groups.${user} = { };

    systemd.services.${unit} = import ./service.nix { inherit config lib pkgs; } {
      description = "Crystal Forge evaluator";
      inherit user;
      stateDir = "/var/lib/crystal_forge_evaluator";
      inherit (process) credentials;
      path = [
        config.nix.package
        pkgs.git
        pkgs.openssh
        pkgs.util-linux
      ];
      environment = config.networking.proxy.envVars // {
        CONFIG_PATH = "${configFile}";
        # Only the daemon may write to the store.
        NIX_REMOTE = "daemon";
        SSL_CERT_FILE = "/etc/ssl/certs/ca-certificates.crt";
      };
      serviceConfig = {
        ExecStart = "${lib.getExe cfg.package} evaluator";
        TimeoutStartSec = "30min";
        # It starts each evaluation through prlimit, which limits its memory, and setpriv, which sets capabilities whatever it
        # is asked for: none, as there are none to have.
        SystemCallFilter = [
          "@system-service"
          "@pkey"
          "~@privileged"
          "capset"
        ];
        MemoryMax = toString (readSize cfg.evaluator.memory_budget + ownMemory);
        # An evaluation that is killed for its memory has failed; the others go on.
        OOMPolicy = "continue";
        TasksMax = 1024;
      };
    };
  };
}
