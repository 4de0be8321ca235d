# What contradicts itself, said before anything is built. The form of single values is checked by the types and, when the
# configuration is built, by `crystal-forge check-config`.
{ config, lib, ... }:
let
  cfg = config.services.crystal-forge;
  schema = import ./schema.nix { inherit lib; };
  inherit (import ./units.nix { inherit lib; }) readDuration;

  usesDatabase = cfg.server.enable || cfg.evaluator.enable;
  isChanged = section: name: cfg.${section}.${name} != schema.${section}.${name}.default;

  rule = assertion: message: {
    inherit assertion;
    message = "services.crystal-forge.${message}";
  };
  # What `part` has to hold only where that part runs.
  rulesFor = isUsed: rules: lib.optionals (cfg.enable && isUsed) rules;

  parts = rulesFor true [
    (rule (cfg.server.enable || cfg.evaluator.enable || cfg.client.enable)
      "enable does nothing by itself: set server.enable, client.enable or evaluator.enable too."
    )
  ];

  database =
    let
      inherit (cfg.database) host createLocally name user;
    in
    rulesFor usesDatabase [
      (rule (host != null)
        "database.host is missing: set it, or database.createLocally for a PostgreSQL on this machine."
      )
      (rule (host == null || !lib.hasPrefix "/" host || cfg.database.ssl == "disable")
        "database.ssl must be \"disable\" when database.host is a socket directory."
      )
      (rule (cfg.database.ca_file == null || cfg.database.ssl == "verify-full")
        "database.ca_file has no effect unless database.ssl is \"verify-full\"."
      )
      (rule (createLocally -> host == "/run/postgresql")
        "database.host excludes database.createLocally: give one of them."
      )
      (rule (createLocally -> cfg.database.password_file == null)
        "database.password_file excludes database.createLocally, which needs no password."
      )
      (rule (createLocally -> !isChanged "database" "port")
        "database.port excludes database.createLocally: the port is that of services.postgresql."
      )
      (rule (createLocally -> name == user)
        "database.name and database.user must be the same with database.createLocally: the role owns the database of its name."
      )
    ];

  server =
    let
      inherit (cfg.server) tls_cert_file tls_key_file;
      inherit (cfg.oidc) issuer client_id viewer_groups operator_groups admin_groups;
    in
    rulesFor cfg.server.enable [
      (rule (tls_cert_file != null -> tls_key_file != null) "server.tls_cert_file needs server.tls_key_file too.")
      (rule (tls_key_file != null -> tls_cert_file != null) "server.tls_key_file needs server.tls_cert_file too.")
      (rule (cfg.server.openFirewall -> cfg.server.port != 0)
        "server.openFirewall needs a server.port that is known: 0 takes a free one."
      )
      (rule (cfg.server.openFirewall -> !isLoopback cfg.server.host)
        "server.openFirewall has no effect: server.host is ${cfg.server.host}, which only this machine reaches."
      )
      (rule (readDuration cfg.liveness.late_after < readDuration cfg.liveness.offline_after)
        "liveness.late_after must be shorter than liveness.offline_after."
      )
      (rule (issuer != null -> client_id != null) "oidc.issuer needs oidc.client_id too.")
      (rule (issuer != null -> cfg.server.public_url != null)
        "oidc.issuer needs server.public_url too: the provider sends people back to it."
      )
      (rule (issuer != null -> viewer_groups ++ operator_groups ++ admin_groups != [ ])
        "oidc.issuer needs groups, without which nobody gets in: one of oidc.viewer_groups, oidc.operator_groups, oidc.admin_groups."
      )
      (rule (issuer == null -> client_id == null && cfg.oidc.client_secret_file == null)
        "oidc.client_id has no effect without oidc.issuer."
      )
    ];
  isLoopback = host: host == "localhost" || host == "::1" || lib.hasPrefix "127." host;

  client =
    let
      inherit (cfg.client) server_url server_host;
    in
    rulesFor cfg.client.enable [
      (rule (server_url != null || server_host != null)
        "client.server_url is missing (or client.server_host): where the server is."
      )
      (rule (server_url == null || server_host == null) "client.server_host excludes client.server_url: give one of them.")
      (rule (server_url != null -> !isChanged "client" "server_port") "client.server_port belongs into client.server_url when that is given.")
      (rule (cfg.client.ca_file != null -> server_url != null && lib.hasPrefix "https:" server_url)
        "client.ca_file has no effect unless client.server_url begins with \"https:\"."
      )
      (rule (cfg.client.private_key != null || cfg.client.enrollment_token_file != null)
        "client.private_key is missing: make one with cf-keygen, or set client.enrollment_token_file and the agent makes its own."
      )
    ];

  evaluator = rulesFor cfg.evaluator.enable [
    (rule config.nix.enable "evaluator.enable needs nix.enable: evaluation asks the Nix daemon of this machine.")
  ];

  stateDirectories =
    let
      used =
        lib.optional cfg.server.enable "server" ++ lib.optional cfg.client.enable "client";
      isPlain = path: builtins.match "/var/lib/[^/]+(/[^/]+)*" path != null;
      directoryOf = section: cfg.${section}.state_dir;
      taken = [ "/var/lib/crystal_forge_evaluator" ];
    in
    rulesFor true (
      map (
        section:
        rule (isPlain (directoryOf section)) "${section}.state_dir must be below /var/lib, where systemd keeps state directories."
      ) used
      ++ [
        (rule (lib.allUnique (map directoryOf used ++ taken))
          "server.state_dir and client.state_dir must differ, and not be /var/lib/crystal_forge_evaluator: each belongs to a user of its own."
        )
      ]
    );

  fleet = import ./fleet-rules.nix { inherit lib rule; } cfg;
  secrets = import ./secret-rules.nix { inherit lib rule schema; } cfg;
in
{
  config.assertions =
    parts
    ++ database
    ++ server
    ++ client
    ++ evaluator
    ++ stateDirectories
    ++ rulesFor usesDatabase fleet
    ++ rulesFor true secrets;
}
