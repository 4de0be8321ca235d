# Server, evaluator and command line: bundles that need Node and, to verify signatures at twice the speed, sodium-native.
{
  lib,
  buildNpmPackage,
  importNpmLock,
  makeBinaryWrapper,
  nodejs_24,
  nodejs-slim_24,
}:
let
  npm = import ./npm-lock.nix { inherit lib; };
in
buildNpmPackage {
  pname = "crystal-forge";
  inherit (npm.package) version;

  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../package.json
      ../package-lock.json
      ../tsconfig.json
      ../src
      ../script
      ../migrations
      ../web
      ../docs
      ../LICENSE
      ../README.md
      ../CHANGELOG.md
    ];
  };

  nodejs = nodejs_24;
  # Every package by the hash in package-lock.json: there is none to compute here.
  npmDeps = importNpmLock { inherit (npm) package packageLock; };
  npmConfigHook = importNpmLock.npmConfigHook;
  npmFlags = [ "--ignore-scripts" ];
  npmRebuildFlags = [ "--ignore-scripts" ];
  nativeBuildInputs = [ makeBinaryWrapper ];

  # Not `npm run build`, which looks for Node and packages first.
  buildPhase = ''
    runHook preBuild
    node script/builder/main.ts
    runHook postBuild
  '';

  # The wrappers name Node without npm.
  dontPatchShebangs = true;
  installPhase = ''
    runHook preInstall
    lib=$out/lib/crystal-forge
    mkdir -p "$lib/node_modules" "$out/share/doc/crystal-forge"
    cp -r dist migrations package.json "$lib/"
    rm "$lib/dist/crystal-forge-agent.js"
    for name in ${lib.escapeShellArgs npm.native}; do
      cp -r "node_modules/$name" "$lib/node_modules/"
    done
    # Binaries of other systems.
    find "$lib/node_modules/sodium-native/prebuilds" -mindepth 1 -maxdepth 1 \
      -not -name "$(node -p 'process.platform + "-" + process.arch')" \
      -exec rm -r {} +
    cp -r docs README.md CHANGELOG.md LICENSE "$out/share/doc/crystal-forge/"
    for name in crystal-forge cf-keygen; do
      makeWrapper ${lib.getExe nodejs-slim_24} "$out/bin/$name" --add-flags "$lib/dist/$name.js"
    done
    # One file, of which crystal-forge-agent is made.
    install -D -m 644 dist/crystal-forge-agent.js "$agent/lib/crystal-forge-agent.js"
    runHook postInstall
  '';
  outputs = [
    "out"
    "agent"
  ];

  doInstallCheck = true;
  installCheckPhase = ''
    runHook preInstallCheck
    [ "$("$out/bin/crystal-forge" --version)" = "${npm.package.version}" ]
    "$out/bin/crystal-forge" check-config --part none > /dev/null
    (cd "$lib" && node -e 'require("sodium-native")')
    runHook postInstallCheck
  '';

  meta = {
    description = lib.removeSuffix "." npm.package.description;
    longDescription = ''
      An agent on every NixOS host fingerprints the running system and sends signed reports. A server verifies them and
      keeps them with their signatures in PostgreSQL; an evaluator evaluates every commit of your flakes with Nix. So it is
      known for every host what it runs, on what evidence, and whether that is what Git says.
    '';
    license = lib.licenses.asl20;
    mainProgram = "crystal-forge";
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
    maintainers = [ ];
  };
}
