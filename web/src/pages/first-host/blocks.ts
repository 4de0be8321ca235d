export type Way = 'nixos' | 'other'

/**
 * What is pasted on the host, as one. The token goes into a file of its own that only root reads, never into the Nix store;
 * nothing that somebody typed is in the text.
 */
export function blockFor(way: Way, { server, token }: { server: string; token: string }): string {
  return way === 'nixos' ? nixosBlock(server, token) : otherBlock(server, token)
}

const FILE = '/etc/crystal-forge-enrolment'

/** Options: docs/nixos-options.md. */
const nixosBlock = (server: string, token: string): string => `sudo sh -eu <<'END'
umask 077
echo '${token}' > ${FILE}
umask 022
cat > /etc/nixos/crystal-forge.nix <<'NIX'
{
  services.crystal-forge = {
    enable = true;
    client = {
      enable = true;
      server_url = "${server}";
      enrollment_token_file = "${FILE}";
    };
  };
}
NIX
END`

/** Keys: docs/configuration.md. */
const otherBlock = (server: string, token: string): string => `sudo sh -eu <<'END'
umask 077
echo '${token}' > ${FILE}
export CRYSTAL_FORGE__CLIENT__SERVER_URL='${server}'
export CRYSTAL_FORGE__CLIENT__ENROLLMENT_TOKEN_FILE='${FILE}'
exec crystal-forge agent
END`
