# Generated from src/lib/config by script/generate. Change it there.
# Keys whose values are secret texts are left out: they would be in the store. `readers`: who needs the
# content of a file.
{ types }:
{
  database = {
    host = {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      example = "localhost";
      description = "Name or address of the PostgreSQL server, or the directory of its Unix socket. Of several, such as `db1,db2:5433`, the one that accepts writes is used.";
    };
    port = {
      type = types.ints.between 1 65535;
      default = 5432;
      example = 5432;
      description = "Port of the PostgreSQL server, unless `host` names it.";
    };
    user = {
      type = types.nonEmptyStr;
      default = "crystal_forge";
      example = "crystal_forge";
      description = "Role to connect as.";
    };
    password_file = {
      type = types.nullOr types.secretFile;
      default = null;
      example = "/run/secrets/database-password";
      description = "File that holds the password; instead of `password`.";
      readers = [ "database" ];
      isSecret = true;
    };
    name = {
      type = types.nonEmptyStr;
      default = "crystal_forge";
      example = "crystal_forge";
      description = "Name of the database.";
    };
    ssl = {
      type = types.enum [ "disable" "require" "verify-full" ];
      default = "disable";
      example = "verify-full";
      description = "TLS to PostgreSQL; only `verify-full` proves which server answers.";
    };
    ca_file = {
      type = types.nullOr types.path;
      default = null;
      example = "/etc/crystal-forge/database-ca.pem";
      description = "Certificates (PEM) to trust with `verify-full`, instead of those of Node.js.";
      readers = [ "database" ];
    };
    max_connections = {
      type = types.ints.between 2 1000;
      default = 10;
      example = 10;
      description = "Connections a process opens at most, also to the embedded PostgreSQL.";
    };
  };

  server = {
    host = {
      type = types.nonEmptyStr;
      default = "0.0.0.0";
      example = "0.0.0.0";
      description = "Address to listen on.";
    };
    port = {
      type = types.ints.between 0 65535;
      default = 3000;
      example = 3000;
      description = "Port to listen on; 0 takes a free one.";
    };
    public_url = {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      example = "https://forge.example.org";
      description = "Where agents and people reach the server. With it, or `authorities`, requests for another Host are refused.";
    };
    authorities = {
      type = types.listOf types.nonEmptyStr;
      default = [ ];
      example = [ "forge.internal:3000" ];
      description = "Further Host names agents may use.";
    };
    trusted_proxies = {
      type = types.listOf types.nonEmptyStr;
      default = [ ];
      example = [ "127.0.0.1/32" ];
      description = "Address ranges of proxies whose `X-Forwarded-*` is believed.";
    };
    metrics_listen = {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      example = "127.0.0.1:9464";
      description = "Address of its own for `/metrics`, where no token is needed.";
    };
    anonymous_read = {
      type = types.bool;
      default = false;
      example = false;
      description = "Whether anyone may read without a token.";
    };
    state_dir = {
      type = types.absolutePath;
      example = "/var/lib/crystal_forge";
      description = "Directory of the embedded PostgreSQL and of what the server keeps on disk.";
    };
    tls_cert_file = {
      type = types.nullOr types.path;
      default = null;
      example = "/var/lib/acme/forge.example.org/fullchain.pem";
      description = "Certificate chain (PEM), to serve HTTPS without a proxy; with `tls_key_file`.";
      readers = [ "server" ];
    };
    tls_key_file = {
      type = types.nullOr types.secretFile;
      default = null;
      example = "/var/lib/acme/forge.example.org/key.pem";
      description = "Private key (PEM) of the certificate.";
      readers = [ "server" ];
      isSecret = true;
    };
    processes = {
      type = types.ints.between 1 64;
      default = 1;
      example = 1;
      description = "Processes that serve, on the same addresses: as many as cores of the machine that are to be used. Each has its own connections to PostgreSQL.";
    };
    evaluate = {
      type = types.bool;
      default = true;
      example = true;
      description = "Whether to run an evaluator in this process.";
    };
    accept_v0_agents = {
      type = types.bool;
      default = false;
      example = false;
      description = "Whether to serve agents of the earlier protocol, version 0.";
    };
    webhook_secret_files = {
      type = types.listOf types.secretFile;
      default = [ ];
      example = [ "/run/secrets/webhook" ];
      description = "Files with secrets that sign webhooks for every flake without one of its own, each on a line; several while one replaces another.";
      readers = [ "server" ];
      isSecret = true;
    };
  };

  oidc = {
    issuer = {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      example = "https://id.example.org/realms/infra";
      description = "Address of the provider, as its discovery document says it. Its client has to have `<public_url>/auth/oidc/callback` as redirect URI.";
    };
    client_id = {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      example = "crystal-forge";
      description = "Name of this server at the provider.";
    };
    client_secret_file = {
      type = types.nullOr types.secretFile;
      default = null;
      example = "/run/secrets/oidc-client";
      description = "File with the secret of the client; without it the client is a public one.";
      readers = [ "server" ];
      isSecret = true;
    };
    name = {
      type = types.nonEmptyStr;
      default = "single sign-on";
      example = "Keycloak";
      description = "What the button calls it: \"Sign in with …\".";
    };
    scopes = {
      type = types.listOf types.nonEmptyStr;
      default = [ "openid" "profile" ];
      example = [ "openid" "profile" "groups" ];
      description = "Scopes to ask for.";
    };
    groups_claim = {
      type = types.nonEmptyStr;
      default = "groups";
      example = "groups";
      description = "Claim with a person's groups, in the ID token or else in the answer of the userinfo endpoint.";
    };
    viewer_groups = {
      type = types.listOf types.nonEmptyStr;
      default = [ ];
      example = [ "staff" ];
      description = "Groups whose members may read.";
    };
    operator_groups = {
      type = types.listOf types.nonEmptyStr;
      default = [ ];
      example = [ "infra" ];
      description = "Groups whose members are operators.";
    };
    admin_groups = {
      type = types.listOf types.nonEmptyStr;
      default = [ ];
      example = [ "infra-leads" ];
      description = "Groups whose members are admins.";
    };
  };

  client = {
    server_host = {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      example = "localhost";
      description = "Name or address of the server, reached without TLS: for loopback and private networks.";
    };
    server_port = {
      type = types.ints.between 1 65535;
      default = 3000;
      example = 3000;
      description = "Port of the server; with `server_host`.";
    };
    server_url = {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      example = "https://forge.example.org";
      description = "Address of the server with its scheme; instead of `server_host` and `server_port`.";
    };
    private_key = {
      type = types.nullOr types.absolutePath;
      default = null;
      example = "/var/lib/crystal_forge/host.key";
      description = "Key of this machine, readable only by its owner. Without it the agent uses, and makes, `host.key` in its `state_dir`.";
    };
    ca_file = {
      type = types.nullOr types.path;
      default = null;
      example = "/etc/crystal-forge/ca.pem";
      description = "Certificates (PEM) to trust, instead of those of Node.js.";
      readers = [ "agent" ];
    };
    enrollment_token_file = {
      type = types.nullOr types.secretFile;
      default = null;
      example = "/run/secrets/enrollment-token";
      description = "File with the token that registers a key the server does not know.";
      readers = [ "agent" ];
      isSecret = true;
    };
    heartbeat_interval = {
      type = types.duration;
      default = "60s";
      example = "60s";
      description = "Time between heartbeats, until the server says otherwise.";
    };
    state_dir = {
      type = types.absolutePath;
      example = "/var/lib/crystal_forge";
      description = "Directory of reports not yet sent, and of the sequence numbers.";
    };
    rootfs = {
      type = types.absolutePath;
      default = "/";
      example = "/";
      description = "Where `/proc`, `/sys`, `/etc` and `/run` are read from.";
    };
  };

  evaluator = {
    workers = {
      type = types.ints.between 1 256;
      default = 2;
      example = 2;
      description = "Evaluations at the same time.";
    };
    memory_budget = {
      type = types.size;
      default = "8GiB";
      example = "8GiB";
      description = "Memory that all evaluations together may use.";
    };
    timeout = {
      type = types.duration;
      default = "10m";
      example = "10m";
      description = "Time one evaluation may take.";
    };
    poll_interval = {
      type = types.duration;
      default = "5m";
      example = "5m";
      description = "Time between two questions to a Git server for the head of a branch.";
    };
  };

  liveness = {
    heartbeat_interval = {
      type = types.duration;
      default = "60s";
      example = "60s";
      description = "Time between heartbeats that the server asks its agents for.";
    };
    late_after = {
      type = types.duration;
      default = "3m";
      example = "3m";
      description = "Time without contact after which a system is late; at least 3 of its own intervals.";
    };
    offline_after = {
      type = types.duration;
      default = "15m";
      example = "15m";
      description = "Time without contact after which a system is offline; at least 10 of its own intervals.";
    };
  };

  retention = {
    reports = {
      type = types.duration;
      default = "400d";
      example = "400d";
      description = "Age at which state reports are deleted, but for those that present states rest on.";
    };
    online_periods = {
      type = types.duration;
      default = "400d";
      example = "400d";
      description = "Age at which periods of being online are deleted.";
    };
    events = {
      type = types.duration;
      default = "400d";
      example = "400d";
      description = "Age at which changes of drift, flags and branches are deleted.";
    };
    history = {
      type = types.duration;
      default = "400d";
      example = "400d";
      description = "Age at which the counts of the fleet, kept every 15 minutes, are deleted.";
    };
    audit = {
      type = types.duration;
      default = "1095d";
      example = "1095d";
      description = "Age at which records of the audit trail are deleted.";
    };
  };

  flakes = {
    url = {
      type = types.nonEmptyStr;
      example = "git+https://github.com/yourorg/nixos-configs";
      description = "Address of the repository, without credentials.";
    };
    branch = {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      example = "main";
      description = "Branch to follow; the remote's HEAD if not given.";
    };
    webhook_secret_file = {
      type = types.nullOr types.secretFile;
      default = null;
      example = "/run/secrets/webhook";
      description = "File with the secret that signs this flake's webhooks, instead of `[server] webhook_secret_files`; several lines while one replaces another.";
      readers = [ "server" ];
      isSecret = true;
    };
    ssh_key_file = {
      type = types.nullOr types.secretFile;
      default = null;
      example = "/run/secrets/deploy-key";
      description = "Private SSH key that may read the repository and its private inputs.";
      readers = [ "evaluator" ];
      isSecret = true;
    };
    known_hosts_file = {
      type = types.nullOr types.path;
      default = null;
      example = "/etc/crystal-forge/known_hosts";
      description = "Host keys of the SSH servers, as in `~/.ssh/known_hosts`.";
      readers = [ "evaluator" ];
    };
    netrc_file = {
      type = types.nullOr types.secretFile;
      default = null;
      example = "/run/secrets/netrc";
      description = "Credentials for HTTPS, in the form of `netrc`.";
      readers = [ "evaluator" ];
      isSecret = true;
    };
    access_tokens_file = {
      type = types.nullOr types.secretFile;
      default = null;
      example = "/run/secrets/access-tokens";
      description = "Tokens in the form of Nix's `access-tokens`: `github.com=… gitlab.com=…`.";
      readers = [ "evaluator" ];
      isSecret = true;
    };
    allow_import_from_derivation = {
      type = types.bool;
      default = false;
      example = false;
      description = "Whether its evaluation may build derivations.";
    };
    search_depth = {
      type = types.ints.between 1 10000;
      default = 100;
      example = 100;
      description = "Commits of the branch, newest first, that are searched for what a system runs.";
    };
  };

  systems = {
    hostname = {
      type = types.nonEmptyStr;
      example = "server1";
      description = "Name the system is registered under.";
    };
    flake_url = {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      example = "git+https://github.com/yourorg/nixos-configs";
      description = "Address of the flake that says what the system should run.";
    };
    configuration = {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      example = "server1";
      description = "Its name in `nixosConfigurations`; `hostname` if not given.";
    };
    public_key = {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      example = "Gu3mIlfaXViKSGWDQfyheFphCzc9EpzL8M5FzgylJ38=";
      description = "Public key of its agent.";
    };
    public_keys = {
      type = types.listOf types.nonEmptyStr;
      default = [ ];
      example = [ "Gu3mIlfaXViKSGWDQfyheFphCzc9EpzL8M5FzgylJ38=" ];
      description = "Several of them, while one replaces another.";
    };
    environment = {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      example = "production";
      description = "Environment it belongs to.";
    };
    derivation = {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      example = "/nix/store/00bgd045z0d4icpbc2yyz4gx48ak44la-nixos-system-server1";
      description = "Pinned path: the system it should run, whatever the flake says.";
    };
  };
}
