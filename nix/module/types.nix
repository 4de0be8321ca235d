# Types of configuration values. A path of Nix is no `absolutePath`: it would become one in the store.
{ lib }:
let
  units = import ./units.nix { inherit lib; };
  quantity =
    kind: names:
    lib.types.strMatching "[0-9]+(${lib.concatStringsSep "|" (lib.attrNames names)})"
    // {
      description = kind;
    };
in
rec {
  absolutePath = lib.types.strMatching "/.*" // {
    description = "absolute path in quotes";
  };
  # That it is outside of the store is an assertion, which can say what to do.
  secretFile = absolutePath;
  duration = quantity "duration such as \"90s\", \"5m\" or \"400d\"" units.milliseconds;
  size = quantity "size such as \"512MiB\" or \"8GiB\"" units.bytes;
}
