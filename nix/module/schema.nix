# The configuration keys with the types of this module.
{ lib }: import ./keys.nix { types = lib.types // import ./types.nix { inherit lib; }; }
