# Sourced by the scripts that need programs of the machine: what is missing comes from Debian's packages when we are root.
# Sourced after env.sh. `want` what is needed, then `install_wanted`.
wanted=()

# want PACKAGE COMMAND…: the package is wanted when the command fails.
want() {
  "${@:2}" >/dev/null 2>&1 || wanted+=("$1")
}

has_program() { command -v "$1"; }

has_postgresql() {
  local directory
  for directory in /usr/lib/postgresql/*/bin ${PATH//:/ }; do
    [ -x "$directory/initdb" ] && [ -x "$directory/postgres" ] && [ -x "$directory/pg_dump" ] && return
  done
  return 1
}

install_wanted() {
  [ "${#wanted[@]}" -eq 0 ] && return
  command -v apt-get >/dev/null || fail "needs ${wanted[*]} (names of Debian's packages), and there is no apt-get to install them"
  [ "$(id -u)" -eq 0 ] || fail "needs Debian's packages ${wanted[*]}; install them as root: apt-get install ${wanted[*]}"
  say "Installing ${wanted[*]} ..."
  # The package postgresql starts a server on port 5432 unless told not to; nobody asked for one.
  local no_cluster=/etc/postgresql-common/createcluster.d/crystal-forge-test.conf
  mkdir -p "$(dirname "$no_cluster")"
  echo 'create_main_cluster = false' > "$no_cluster"
  # Package lists are fetched only when the ones that are there, if any, do not do.
  apt_install || { apt-get update -qq >&2 && apt_install; } || { rm -f "$no_cluster"; fail "apt-get could not install ${wanted[*]}"; }
  rm -f "$no_cluster"
}

apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${wanted[@]}" >&2
}
