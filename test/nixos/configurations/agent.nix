{
  services.crystal-forge = {
    enable = true;
    client = {
      enable = true;
      server_url = "https://forge.example.org";
      enrollment_token_file = "/run/secrets/crystal-forge-enrollment";
    };
  };
}
