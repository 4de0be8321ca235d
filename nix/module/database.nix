# PostgreSQL on this machine. Server and evaluator are users of their own, which `identMap` makes the one role.
{ config, lib, ... }:
let
  cfg = config.services.crystal-forge;
  role = cfg.database.user;
  users =
    lib.optional cfg.server.enable "crystal_forge"
    ++ lib.optional cfg.evaluator.enable "crystal_forge_evaluator";
  units =
    lib.optional cfg.server.enable "crystal-forge-server"
    ++ lib.optional cfg.evaluator.enable "crystal-forge-evaluator";
in
{
  config = lib.mkIf (cfg.enable && cfg.database.createLocally) {
    services.postgresql = {
      enable = true;
      ensureDatabases = [ cfg.database.name ];
      ensureUsers = [
        {
          name = role;
          ensureDBOwnership = true;
        }
      ];
      identMap = lib.concatMapStrings (user: "crystal_forge ${user} ${role}\n") users;
      authentication = "local ${cfg.database.name} ${role} peer map=crystal_forge\n";
    };

    # postgresql.target is there since NixOS 25.11, after role and database are made.
    systemd.services = lib.genAttrs units (_: {
      after = [
        "postgresql.service"
        "postgresql.target"
      ];
      wants = [ "postgresql.service" ];
    });
  };
}
