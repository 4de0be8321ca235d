{
  services.crystal-forge = {
    enable = true;

    database = {
      host = "localhost";
      user = "crystal_forge";
      name = "crystal_forge";
      passwordFile = "/run/secrets/crystal-forge-database";
    };

    server = {
      enable = true;
      host = "0.0.0.0";
      port = 3000;
    };

    client = {
      enable = true;
      server_host = "localhost";
      server_port = 3000;
      private_key = "/var/lib/crystal_forge/host.key";
    };

    systems = [
      {
        hostname = "server1";
        public_key = "Gu3mIlfaXViKSGWDQfyheFphCzc9EpzL8M5FzgylJ38=";
        environment = "production";
        flake_url = "git+https://github.com/yourorg/nixos-configs";
        derivation = "/nix/store/00bgd045z0d4icpbc2yyz4gx48ak44la-nixos-system-server1";
      }
    ];
  };
}
