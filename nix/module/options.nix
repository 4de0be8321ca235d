{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) literalExpression mkEnableOption mkOption;
  cfg = config.services.crystal-forge;

  # Of each key an option, changed by `changes` where NixOS knows better.
  optionsOf =
    section: changes:
    lib.mapAttrs (
      name: key:
      mkOption (removeAttrs key [ "readers" "isSecret" ] // changes.${name} or { })
    ) schema.${section};
  schema = import ./schema.nix { inherit lib; };

  rowsOf =
    section: description:
    mkOption {
      type = lib.types.listOf (lib.types.submodule { options = optionsOf section { }; });
      default = [ ];
      example = [ (lib.mapAttrs (_: key: key.example) schema.${section}) ];
      inherit description;
    };

  packageOption =
    name: file: description:
    mkOption {
      type = lib.types.package;
      default = pkgs.callPackage file { };
      defaultText = literalExpression "pkgs.callPackage \"\${crystal-forge}/nix/${baseNameOf file}\" { }";
      example = literalExpression "pkgs.${name}";
      inherit description;
    };

  stateDirectory = name: {
    state_dir = {
      default = "/var/lib/${name}";
      example = "/var/lib/${name}";
    };
  };
in
{
  options.services.crystal-forge = {
    enable = mkEnableOption "Crystal Forge, which proves what the machines of a NixOS fleet run";
    package = packageOption "crystal-forge" ../package.nix "Package of the server, the evaluator and the command line.";
    agentPackage = packageOption "crystal-forge-agent" ../agent-package.nix "Package of the agent.";

    database =
      optionsOf "database" {
        host = {
          default = if cfg.database.createLocally then "/run/postgresql" else null;
          defaultText = literalExpression ''if createLocally then "/run/postgresql" else null'';
        };
      }
      // {
        createLocally = mkOption {
          type = lib.types.bool;
          default = false;
          example = true;
          description = "Whether to run PostgreSQL on this machine, with a database that server and evaluator reach without a password.";
        };
      };

    server =
      optionsOf "server" (
        stateDirectory "crystal_forge_server"
        // {
          evaluate.description = "Whether this machine evaluates, in the unit `crystal-forge-evaluator`: what `evaluator.enable` is by default.";
        }
      )
      // {
        enable = mkEnableOption "the server";
        openFirewall = mkOption {
          type = lib.types.bool;
          default = false;
          example = true;
          description = "Whether to open `server.port` in the firewall.";
        };
      };

    evaluator = optionsOf "evaluator" { } // {
      enable = mkEnableOption "an evaluator on this machine" // {
        default = cfg.server.enable && cfg.server.evaluate;
        defaultText = literalExpression "server.enable && server.evaluate";
      };
    };

    client = optionsOf "client" (stateDirectory "crystal_forge") // {
      enable = mkEnableOption "the agent";
    };

    oidc = optionsOf "oidc" { };
    liveness = optionsOf "liveness" { };
    retention = optionsOf "retention" { };
    flakes = rowsOf "flakes" "Git repositories to follow. What is declared here cannot be changed through the API.";
    systems = rowsOf "systems" "Systems to watch. What is declared here cannot be changed through the API.";
  };
}
