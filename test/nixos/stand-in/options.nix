# The options of services.crystal-forge as their declarations say: by section, those of rows too.
{ lib }:
let
  inherit
    (lib.evalModules {
      modules = [
        ./nixos.nix
        ../../../nix/module
      ];
      specialArgs.pkgs.callPackage = _: _: { };
    })
    options
    ;
  describe =
    option:
    {
      description = option.description or null;
      hasType = option ? type;
      type = option.type.description;
      hasDefault = option ? default || option ? defaultText;
      default = if option ? defaultText then option.defaultText.text else (if option ? default then builtins.toJSON option.default else null);
      example = (option.example or { }).text or (if option ? example then builtins.toJSON option.example else null);
    };
  rowOptions = option: removeAttrs ((option.type.getSubOptions or (_: { })) [ ]) [ "_module" ];
  # Other names of options are none of their own.
  isVisible = option: !lib.hasPrefix "Alias of" (option.description or "");
  walk =
    path: tree:
    lib.concatMap (
      name:
      let
        here = path ++ [ name ];
        option = tree.${name};
      in
      if !(lib.isOption option) then
        walk here option
      else
        lib.optional (isVisible option) ({ path = here; } // describe option)
        ++ walk (here ++ [ "*" ]) (rowOptions option)
    ) (lib.attrNames tree);
in
walk [ ] options.services.crystal-forge
