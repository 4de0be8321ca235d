{
  description = "What stands in for nixpkgs, to evaluate flake.nix";

  outputs = _: {
    lib = import ./lib.nix;
    legacyPackages.x86_64-linux = import ./packages.nix "x86_64-linux";
    legacyPackages.aarch64-linux = import ./packages.nix "aarch64-linux";
  };
}
