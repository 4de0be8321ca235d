# `nix develop`: what the scripts of script/ use, with a key pair and the environment of a system on this machine.
{
  mkShell,
  git,
  nix,
  nodejs_24,
  openssh,
  postgresql,
  process-compose,
  util-linux,
}:
mkShell {
  packages = [
    git
    nix
    nodejs_24
    openssh
    postgresql
    process-compose
    util-linux
  ];

  shellHook = ''
    . script/dev-env.sh
    export PATH="$root/script:$root/node_modules/.bin:$PATH"
  '';
}
