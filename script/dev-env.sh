# Sourced by the scripts for development and by `nix develop`: a key pair, a flake to follow, a secret for webhooks and a
# configuration, each only when missing, below $CRYSTAL_FORGE_DEV. A CONFIG_PATH that is set is left alone.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

# Root's has to be where the user that PostgreSQL runs as can go.
dev_default=$root/.cache/dev
[ "$(id -u)" -ne 0 ] || dev_default=/var/lib/crystal-forge-dev
export CRYSTAL_FORGE_DEV=${CRYSTAL_FORGE_DEV:-$dev_default}

make_dev_flake() {
  mkdir -p "$CRYSTAL_FORGE_DEV/flake"
  cat > "$CRYSTAL_FORGE_DEV/flake/flake.nix" <<NIX
{
  outputs = _: {
    # Stands for the system of this machine: a derivation is all that an evaluation needs.
    nixosConfigurations."$1".config.system.build.toplevel = derivation {
      name = "nixos-system-$1-dev";
      system = "x86_64-linux";
      builder = "/bin/sh";
    };
  };
}
NIX
  local git=(git -C "$CRYSTAL_FORGE_DEV/flake" -c user.name=dev -c user.email=dev@localhost)
  "${git[@]}" init -q --initial-branch main
  "${git[@]}" add flake.nix
  "${git[@]}" commit -q -m 'The system of this machine'
}

make_dev_config() {
  cat > "$CRYSTAL_FORGE_DEV/config.toml" <<TOML
# For development. PostgreSQL is the embedded one below state_dir, which script/dev-postgres keeps running.
[server]
host = "127.0.0.1"
port = 3000
state_dir = "$CRYSTAL_FORGE_DEV/server"
anonymous_read = true
webhook_secret_files = ["$CRYSTAL_FORGE_DEV/webhook-secret"]

[client]
server_url = "http://127.0.0.1:3000"
private_key = "$CRYSTAL_FORGE_DEV/host.key"
state_dir = "$CRYSTAL_FORGE_DEV/agent"

[[flakes]]
url = "git+file://$CRYSTAL_FORGE_DEV/flake"
branch = "main"

[[systems]]
hostname = "$1"
public_key = "$(cat "$CRYSTAL_FORGE_DEV/host.pub")"
flake_url = "git+file://$CRYSTAL_FORGE_DEV/flake"
TOML
}

make_dev() {
  local name
  name=$(cat /etc/hostname 2>/dev/null || uname -n)
  mkdir -p "$CRYSTAL_FORGE_DEV"
  [ -e "$CRYSTAL_FORGE_DEV/host.key" ] || node "$root/src/cli/keygen-main.ts" -f "$CRYSTAL_FORGE_DEV/host.key" >&2
  [ -e "$CRYSTAL_FORGE_DEV/webhook-secret" ] ||
    (umask 077 && node -p 'require("node:crypto").randomBytes(32).toString("hex")' > "$CRYSTAL_FORGE_DEV/webhook-secret")
  [ -e "$CRYSTAL_FORGE_DEV/flake" ] || make_dev_flake "$name"
  [ -e "$CRYSTAL_FORGE_DEV/config.toml" ] || make_dev_config "$name"
  export CONFIG_PATH="$CRYSTAL_FORGE_DEV/config.toml"
  export CRYSTAL_FORGE_URL=${CRYSTAL_FORGE_URL:-http://127.0.0.1:3000}
}

[ -n "${CONFIG_PATH:-}" ] || make_dev
