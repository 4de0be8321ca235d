# Packages that can be named and evaluated, and not built.
system:
let
  lib = import ./lib.nix;
  build =
    attributes:
    derivation {
      name = attributes.name or "${attributes.pname}-${attributes.version}";
      inherit system;
      outputs = attributes.outputs or [ "out" ];
      builder = "/bin/sh";
      args = [
        "-c"
        (attributes.installPhase or "")
      ];
    }
    // {
      inherit (attributes) meta;
      version = attributes.version or "0";
      inherit attributes;
    };
  program = name: build {
    inherit name;
    meta.mainProgram = name;
  };
  programs = lib.genAttrs [
    "git"
    "makeBinaryWrapper"
    "nix"
    "nixfmt-tree"
    "nodejs_24"
    "nodejs-slim_24"
    "openssh"
    "postgresql"
    "process-compose"
    "util-linux"
  ] program;

  fix =
    overlay:
    let
      previous = base // {
        callPackage = call pkgs;
        extend = fix;
      };
      pkgs = previous // overlay pkgs previous;
    in
    pkgs;
  call =
    pkgs: file: given:
    let
      f = import file;
    in
    f (builtins.intersectAttrs (builtins.functionArgs f) (pkgs // { inherit lib; }) // given);

  base = programs // {
    buildNpmPackage = build;
    stdenvNoCC.mkDerivation = build;
    mkShell = attributes: build (attributes // { name = "shell"; meta = { }; });
    importNpmLock = {
      npmConfigHook = program "hook";
      __functor = _: { package, packageLock }: program "${package.name}-sources" // { inherit package packageLock; };
    };
    testers.runNixOSTest = file: build {
      name = "vm-test-run-${(import file).name}";
      meta = { };
    };
  };
in
fix (_: _: { })
