{
  services.crystal-forge = {
    enable = true;
    database.createLocally = true;
    server = {
      enable = true;
      host = "127.0.0.1";
      public_url = "https://forge.example.org";
      trusted_proxies = [ "127.0.0.1/32" ];
      metrics_listen = "127.0.0.1:9464";
      webhook_secret_files = [ "/run/secrets/crystal-forge-webhook" ];
    };
    evaluator.memory_budget = "16GiB";
    retention.reports = "800d";
    flakes = [
      {
        url = "git+ssh://git@git.example.org/infra/nixos-configs";
        branch = "main";
        ssh_key_file = "/run/secrets/crystal-forge-deploy-key";
        known_hosts_file = "/etc/ssh/ssh_known_hosts";
      }
    ];
    systems = [
      { hostname = "web1"; environment = "production"; }
      { hostname = "web2"; environment = "production"; }
    ];
  };
}
