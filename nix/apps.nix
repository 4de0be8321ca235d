{ pkgs }:
let
  app = package: program: {
    type = "app";
    program = "${package}/bin/${program}";
    meta.description = package.meta.description;
  };
in
{
  default = app pkgs.crystal-forge "crystal-forge";
  crystal-forge = app pkgs.crystal-forge "crystal-forge";
  cf-keygen = app pkgs.crystal-forge "cf-keygen";
  crystal-forge-agent = app pkgs.crystal-forge-agent "crystal-forge-agent";
}
