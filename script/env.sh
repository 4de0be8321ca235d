# Sourced by the other scripts: puts Node 24 on PATH and installs the npm packages, each only when missing.
# The machine's Node may be older; then npm's own package of Node 24 goes to .cache/node.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
node_major=24
node_home="$root/.cache/node"

say() { printf '%s\n' "$*" >&2; }
fail() { say "$0: $*"; exit 1; }

major_of() { "$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0; }

use_node() {
  [ "$(major_of node)" -ge "$node_major" ] && return
  local arch=x64
  [ "$(uname -m)" = aarch64 ] && arch=arm64
  local bin="$node_home/node_modules/node-linux-$arch/bin"
  if [ "$(major_of "$bin/node")" -lt "$node_major" ]; then
    command -v npm >/dev/null || fail "needs Node.js and npm, or Node.js $node_major or newer"
    say "Installing Node.js $node_major into .cache/node ..."
    npm install --prefix "$node_home" --no-save --no-audit --no-fund --loglevel=error "node-linux-$arch@$node_major" >&2 ||
      fail "could not install Node.js $node_major with npm"
  fi
  export PATH="$bin:$PATH"
}

# The stamp is the lock file that was installed: a changed lock file installs again, an unchanged one works offline.
use_packages() {
  cmp -s "$root/package-lock.json" "$root/node_modules/.installed-lock" && return
  say "Installing npm packages ..."
  (cd "$root" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) || fail "npm ci failed"
  cp "$root/package-lock.json" "$root/node_modules/.installed-lock"
}

use_node
use_packages
export PATH="$root/node_modules/.bin:$PATH"
