# The agent alone: one file and Node.
{
  lib,
  callPackage,
  makeBinaryWrapper,
  nodejs-slim_24,
  stdenvNoCC,
  crystal-forge ? callPackage ./package.nix { },
}:
stdenvNoCC.mkDerivation {
  pname = "crystal-forge-agent";
  inherit (crystal-forge) version;
  dontUnpack = true;
  nativeBuildInputs = [ makeBinaryWrapper ];

  # With the flags of the first line of the file (script/builder/bundle.ts), which the wrapper stands in for.
  installPhase = ''
    runHook preInstall
    mkdir -p "$out/lib"
    tail -n +2 ${crystal-forge.agent}/lib/crystal-forge-agent.js > "$out/lib/crystal-forge-agent.mjs"
    makeWrapper ${lib.getExe nodejs-slim_24} "$out/bin/crystal-forge-agent" \
      --set-default MALLOC_MMAP_THRESHOLD_ 16384 \
      --add-flags "--lite-mode $out/lib/crystal-forge-agent.mjs"
    runHook postInstall
  '';

  disallowedReferences = [
    crystal-forge
    crystal-forge.agent
  ];

  doInstallCheck = true;
  installCheckPhase = ''
    runHook preInstallCheck
    "$out/bin/crystal-forge-agent" --help > /dev/null
    runHook postInstallCheck
  '';

  meta = {
    description = "Agent of Crystal Forge: reports, signed, what a NixOS machine runs";
    inherit (crystal-forge.meta) license platforms maintainers;
    mainProgram = "crystal-forge-agent";
  };
}
