{
  description = "Proves what the machines of a NixOS fleet run: signed reports, drift from evaluation, evidence that can be checked";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      forEachSystem =
        f:
        nixpkgs.lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (
          system: f (nixpkgs.legacyPackages.${system}.extend self.overlays.default)
        );
    in
    {
      overlays.default = import ./nix/overlay.nix;

      nixosModules = {
        default.imports = [ ./nix/module ];
        crystal-forge.imports = [ ./nix/module ];
      };

      packages = forEachSystem (pkgs: {
        inherit (pkgs) crystal-forge crystal-forge-agent;
        default = pkgs.crystal-forge;
      });

      apps = forEachSystem (pkgs: import ./nix/apps.nix { inherit pkgs; });

      devShells = forEachSystem (pkgs: {
        default = pkgs.callPackage ./nix/dev-shell.nix { };
      });

      # `nix flake check` builds the packages and runs the virtual machines.
      checks = forEachSystem (pkgs: {
        inherit (pkgs) crystal-forge crystal-forge-agent;
        vm = pkgs.testers.runNixOSTest ./nix/vm-test.nix;
      });

      formatter = forEachSystem (pkgs: pkgs.nixfmt-tree);
    };
}
