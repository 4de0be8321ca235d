# What the three units have in common.
{
  config,
  lib,
  pkgs,
}:
{
  description,
  user,
  stateDir,
  credentials,
  # Further paths of programs.
  path ? [ ],
  environment,
  serviceConfig,
}:
{
  inherit description environment;
  wantedBy = [ "multi-user.target" ];
  wants = [ "network-online.target" ];
  after = [ "network-online.target" ];
  # Of systemd, for systemd-notify.
  path = [ config.systemd.package ] ++ path;
  unitConfig.StartLimitIntervalSec = 0;
  serviceConfig = import ./hardening.nix // {
    Type = "notify";
    # systemd-notify is a child of the process that is ready.
    NotifyAccess = "all";
    WatchdogSec = "3min";
    Restart = "always";
    RestartSec = "5s";
    User = user;
    Group = user;
    StateDirectory = lib.removePrefix "/var/lib/" stateDir;
    StateDirectoryMode = "0700";
    WorkingDirectory = stateDir;
    LoadCredential = credentials;
  } // serviceConfig;
}
