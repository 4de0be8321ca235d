final: _prev: {
  crystal-forge = final.callPackage ./package.nix { };
  crystal-forge-agent = final.callPackage ./agent-package.nix { };
}
