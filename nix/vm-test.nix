# Two machines: `forge` runs PostgreSQL, server and evaluator, `web1` the agent. From the first token to drift, and what a
# switch that brings another agent does. Needs nixpkgs: `nix build .#checks.x86_64-linux.vm`.
let
  # A flake without inputs, so that the machines need no network: the path stands for a built system.
  configurations = builtins.toFile "flake.nix" ''
    {
      outputs = _: {
        nixosConfigurations.web1.config.system.build.toplevel = derivation {
          name = "nixos-system-web1-test";
          system = "x86_64-linux";
          builder = "/bin/sh";
        };
      };
    }
  '';
in
{
  name = "crystal-forge";

  nodes.forge =
    { pkgs, ... }:
    {
      imports = [ ./module ];
      virtualisation.memorySize = 2048;
      virtualisation.cores = 2;
      nix.settings.experimental-features = [
        "nix-command"
        "flakes"
      ];
      environment.systemPackages = [
        pkgs.git
        pkgs.jq
      ];
      services.crystal-forge = {
        enable = true;
        database.createLocally = true;
        server = {
          enable = true;
          openFirewall = true;
        };
        evaluator.memory_budget = "1GiB";
        evaluator.poll_interval = "2s";
        flakes = [ { url = "git+file:///srv/configurations"; branch = "main"; } ];
      };
    };

  nodes.web1 =
    { pkgs, ... }:
    {
      imports = [ ./module ];
      services.crystal-forge = {
        enable = true;
        client = {
          enable = true;
          server_host = "forge";
          private_key = "/var/keys/host.key";
        };
      };
      # The agent is another program, as after an update.
      specialisation.updated.configuration.services.crystal-forge.agentPackage =
        pkgs.crystal-forge-agent.overrideAttrs
          { postInstall = "touch $out/updated"; };
    };

  testScript =
    { nodes, ... }:
    let
      updated = nodes.web1.specialisation.updated.configuration.system.build.toplevel;
      original = nodes.web1.system.build.toplevel;
    in
    ''
      api = "CRYSTAL_FORGE_URL=http://localhost:3000 CRYSTAL_FORGE_TOKEN=$(cat /root/token) crystal-forge"

      forge.start()
      forge.succeed("mkdir -p /srv/configurations")
      forge.succeed("git -C /srv/configurations init --initial-branch main")
      forge.succeed("cp ${configurations} /srv/configurations/flake.nix")
      forge.succeed("git -C /srv/configurations add flake.nix")
      forge.succeed("git -C /srv/configurations -c user.name=t -c user.email=t@example.org commit -m first")
      # Git reads no repository of somebody else.
      forge.succeed("chown -R crystal_forge_evaluator: /srv/configurations")

      with subtest("server and evaluator are ready, as users of their own"):
          forge.wait_for_unit("crystal-forge-server.service")
          forge.wait_for_unit("crystal-forge-evaluator.service")
          forge.wait_for_open_port(3000)
          forge.succeed("curl --fail http://localhost:3000/health/ready")
          for unit, user in [("server", "crystal_forge"), ("evaluator", "crystal_forge_evaluator")]:
              pid = forge.succeed(f"systemctl show --property MainPID --value crystal-forge-{unit}").strip()
              assert forge.succeed(f"stat --format %U /proc/{pid}").strip() == user

      with subtest("the first token is made in the database, by peer authentication"):
          forge.succeed(
              "runuser --user crystal_forge -- env CONFIG_PATH=/etc/crystal-forge/config.toml crystal-forge tokens create --database --name admin --role admin --json"
              " | jq --raw-output .token > /root/token"
          )

      with subtest("the branch is evaluated"):
          forge.wait_until_succeeds(f"{api} jobs --json | grep poll-flakes")
          forge.wait_until_succeeds("runuser --user crystal_forge -- psql crystal_forge --tuples-only --command"
              " \"select 1 from evaluations where status = 'succeeded'\" | grep 1")

      with subtest("a host whose key is known reports what it runs"):
          forge.succeed("cf-keygen -f /root/web1")
          forge.succeed(
              f"{api} systems add web1 --public-key-file /root/web1.pub --flake git+file:///srv/configurations"
          )
          key = forge.succeed("cat /root/web1").strip()
          web1.start()
          web1.wait_for_unit("multi-user.target")
          web1.succeed(f"mkdir -p /var/keys; umask 077; echo {key} > /var/keys/host.key")
          web1.wait_for_unit("crystal-forge-agent.service")
          forge.wait_until_succeeds(f"{api} systems show web1 --json | grep ${original}")

      with subtest("the agent needs no root for what root alone can read"):
          for name in ["product_uuid", "board_serial", "chassis_serial"]:
              path = f"/sys/devices/virtual/dmi/id/{name}"
              web1.succeed(f"test ! -e {path} || runuser --user crystal_forge_agent -- cat {path}")

      with subtest("it is told that the host does not run what Git says"):
          forge.wait_until_succeeds(f"{api} drift --json | grep web1")

      with subtest("a switch that updates the agent is reported, and restarts it once"):
          restarts = "systemctl show --property NRestarts --value crystal-forge-agent"
          pid = web1.succeed("systemctl show --property MainPID --value crystal-forge-agent")
          web1.succeed("${updated}/bin/switch-to-configuration test")
          forge.wait_until_succeeds(f"{api} systems show web1 --json | grep ${updated}")
          web1.wait_for_unit("crystal-forge-agent.service")
          assert web1.succeed("systemctl show --property MainPID --value crystal-forge-agent") != pid
          assert web1.succeed(restarts).strip() == "0"

      with subtest("what a host reports while the server is away arrives later"):
          forge.succeed("systemctl stop crystal-forge-server")
          web1.succeed("${original}/bin/switch-to-configuration test")
          forge.succeed("systemctl start crystal-forge-server")
          forge.wait_until_succeeds(f"{api} systems show web1 --json | grep ${original}")

      with subtest("a host is known again after a reboot"):
          web1.shutdown()
          web1.start()
          web1.wait_for_unit("crystal-forge-agent.service")
          forge.wait_until_succeeds(f"{api} systems show web1 --json | grep ${original}")

      with subtest("the units are as closed as the documentation says"):
          for machine, unit in [(web1, "agent"), (forge, "server"), (forge, "evaluator")]:
              machine.succeed(f"systemd-analyze security --threshold=20 crystal-forge-{unit}.service")
    '';
}
