/**
 * A flake with the shape of a NixOS fleet, without nixpkgs: a module system (options with types and defaults, definitions
 * merged by priority, a fixed point of all modules), submodules, and thousands of derivations, packages that all
 * configurations share and their own units and files. `self`-contained: nothing is fetched and nothing built.
 */
export function heavyFlake(hosts: number): Record<string, string> {
  return {
    'flake.nix': FLAKE,
    'lib.nix': LIB,
    'packages.nix': PACKAGES,
    'modules.nix': MODULES,
    'hosts.nix': `builtins.listToAttrs (builtins.genList (n: {
  name = "host\${toString n}";
  value = { index = n; };
}) ${hosts})\n`,
  }
}

const FLAKE = `{
  outputs = { self }:
    let
      lib = import ./lib.nix;
      pkgs = import ./packages.nix { inherit lib; };
      system = name: host: lib.evalModules { inherit pkgs name host; modules = import ./modules.nix; };
    in
    { nixosConfigurations = builtins.mapAttrs system (import ./hosts.nix); };
}
`

/** As in nixpkgs: `mkOverride`, `mkIf`, `mkMerge`, types that check and merge, and the fixed point over all modules. */
const LIB = String.raw`rec {
  inherit (builtins) attrNames concatLists concatMap concatStringsSep elem filter foldl' genList head isAttrs isFunction
    isList isString length listToAttrs mapAttrs toString;
  fix = f: let x = f x; in x;
  range = n: genList (i: i) n;
  unique = foldl' (seen: each: if elem each seen then seen else seen ++ [ each ]) [ ];
  zip = f: sets: builtins.zipAttrsWith f sets;
  mkIf = condition: content: { _type = "if"; inherit condition content; };
  mkMerge = contents: { _type = "merge"; inherit contents; };
  mkOverride = priority: content: { _type = "override"; inherit priority content; };
  mkDefault = mkOverride 1000;
  mkForce = mkOverride 50;
  mkOption = attrs: attrs // { _type = "option"; };
  isType = type: value: isAttrs value && value._type or null == type;

  # Definitions of one value: conditions and merges taken apart, then the strongest priority.
  discharge = def:
    if isType "merge" def then concatMap discharge def.contents
    else if isType "if" def then if def.condition then discharge def.content else [ ]
    else [ def ];
  pushDown = def:
    if isType "merge" def then concatMap pushDown def.contents
    else if isType "if" def then map (mapAttrs (_: mkIf def.condition)) (pushDown def.content)
    else if isType "override" def then map (mapAttrs (_: mkOverride def.priority)) (pushDown def.content)
    else [ def ];
  strongest = defs:
    let
      priorityOf = def: if isType "override" def then def.priority else 100;
      lowest = foldl' (least: def: if priorityOf def < least then priorityOf def else least) 9999 defs;
    in map (def: if isType "override" def then def.content else def) (filter (def: priorityOf def == lowest) defs);

  types = rec {
    checked = name: check: merge: { inherit name check merge; };
    one = loc: defs:
      if length defs == 1 || builtins.all (def: def == head defs) defs then head defs
      else throw "The option ${'$'}{concatStringsSep "." loc} has conflicting definition values";
    bool = checked "bool" builtins.isBool one;
    int = checked "int" builtins.isInt one;
    str = checked "str" isString one;
    lines = checked "lines" isString (_: concatStringsSep "\n");
    package = checked "package" isAttrs one;
    listOf = of: checked "list of ${'$'}{of.name}" isList (loc: defs:
      map (value: mergeValue (loc ++ [ "*" ]) of [ value ]) (concatLists defs));
    attrsOf = of: checked "attribute set of ${'$'}{of.name}" isAttrs (loc: defs:
      zip (name: mergeValue (loc ++ [ name ]) of) (concatMap pushDown defs));
    submodule = options: checked "submodule" isAttrs (loc: defs:
      (evalOptions loc (options { name = builtins.elemAt loc (length loc - 1); }) (concatMap pushDown defs)));
  };

  mergeValue = loc: type: defs:
    let values = strongest (concatMap discharge defs);
    in if values == [ ] then throw "The option ${'$'}{concatStringsSep "." loc} is used but not defined"
    else if builtins.all type.check values then type.merge loc values
    else throw "A definition for option ${'$'}{concatStringsSep "." loc} is not of type ${'$'}{type.name}";

  evalOptions = loc: options: defs: mapAttrs (name: option:
    let here = loc ++ [ name ]; given = concatMap (def: if def ? ${'$'}{name} then [ def.${'$'}{name} ] else [ ]) defs;
    in if isType "option" option then
      (option.apply or (x: x)) (mergeValue here option.type
        (given ++ (if option ? default then [ (mkOverride 1500 option.default) ] else [ ])))
    else evalOptions here option (concatMap pushDown given)) options;

  mergeOptions = zip (name: sets:
    if isType "option" (head sets) then head sets else mergeOptions sets);

  evalModules = { modules, pkgs, name, host }: fix (self:
    let
      args = { inherit lib pkgs name host; config = self.config; };
      loaded = map (module: if isFunction module then module args else module) modules;
      options = mergeOptions (map (module: module.options or { }) loaded);
    in {
      inherit options;
      config = evalOptions [ ] options (concatMap (module: pushDown (module.config or { })) loaded);
    });
  lib = import ./lib.nix;
}
`

/** A few thousand packages in layers, each with a dozen dependencies: shared by all configurations. */
const PACKAGES = String.raw`{ lib }:
let
  count = 3600;
  names = map (n: "package${'$'}{toString n}") (lib.range count);
  stdenv = { system = "x86_64-linux"; builder = "/bin/sh"; };
  mkDerivation = attrs:
    let drv = derivation (stdenv // {
      name = "${'$'}{attrs.pname}-${'$'}{attrs.version}";
      args = [ "-e" "builder.sh" ];
      inherit (attrs) buildInputs phases configureFlags;
    });
    in drv // { inherit (attrs) pname version; meta.description = "package ${'$'}{attrs.pname}"; };
in
lib.fix (pkgs: lib.listToAttrs (map (n: {
  name = "package${'$'}{toString n}";
  value = mkDerivation {
    pname = "package${'$'}{toString n}";
    version = "${'$'}{toString (n / 100)}.${'$'}{toString n}";
    phases = [ "unpackPhase" "patchPhase" "configurePhase" "buildPhase" "installPhase" "fixupPhase" ];
    configureFlags = map (i: "--with-feature-${'$'}{toString i}=${'$'}{toString (n * i)}") (lib.range 20);
    buildInputs = map (i: pkgs."package${'$'}{toString (n - n / (i + 2) - 1)}")
      (lib.filter (i: n - n / (i + 2) - 1 >= 0) (lib.range 8));
  };
}) (lib.range count)) // { inherit mkDerivation names; })
`

const MODULES = String.raw`
let
  services = 700;
  serviceModule = n: { lib, config, pkgs, host, ... }:
    let
      name = "service${'$'}{toString n}";
      cfg = config.services.${'$'}{name};
    in {
      options.services.${'$'}{name} = {
        enable = lib.mkOption { type = lib.types.bool; default = false; };
        package = lib.mkOption { type = lib.types.package; default = pkgs."package${'$'}{toString (n * 4)}"; };
        port = lib.mkOption { type = lib.types.int; default = 1000 + n; };
        user = lib.mkOption { type = lib.types.str; default = name; };
        settings = lib.mkOption { type = lib.types.attrsOf lib.types.str; default = { }; };
        extraConfig = lib.mkOption { type = lib.types.lines; default = ""; };
      };
      config = lib.mkMerge [
        { services.${'$'}{name}.enable = lib.mkDefault (lib.elem n [ 0 1 ] || n - n / 3 * 3 != host.index - host.index / 7 * 7); }
        (lib.mkIf cfg.enable {
          systemPackages = [ cfg.package pkgs."package${'$'}{toString (n * 4 + 2)}" ];
          users.${'$'}{cfg.user} = { uid = 500 + n; groups = [ "users" name ]; };
          firewall.ports = [ cfg.port ];
          services.${'$'}{name} = {
            settings = lib.listToAttrs (map (i: {
              name = "key${'$'}{toString i}"; value = "${'$'}{toString cfg.port}-${'$'}{toString i}-${'$'}{config.hostName}";
            }) (lib.range 12));
            extraConfig = lib.mkMerge [ "listen ${'$'}{toString cfg.port}" (lib.mkIf (n > 10) "workers ${'$'}{toString n}") ];
          };
          files."etc/${'$'}{name}.conf".text = lib.concatStringsSep "\n"
            (map (key: "${'$'}{key} = ${'$'}{cfg.settings.${'$'}{key}}") (lib.attrNames cfg.settings) ++ [ cfg.extraConfig ]);
          units.${'$'}{name} = {
            wants = [ "network" ] ++ map (i: "service${'$'}{toString i}") (lib.filter (i: i < n && i > n - 4) (lib.range services));
            environment = lib.mapAttrs (_: value: value) cfg.settings;
            execStart = "${'$'}{cfg.package}/bin/${'$'}{name} --config ${'$'}{config.files."etc/${'$'}{name}.conf".source} --user ${'$'}{cfg.user}";
          };
          units."${'$'}{name}-backup" = {
            wants = [ name ];
            execStart = lib.mkForce "${'$'}{pkgs.package1400}/bin/backup ${'$'}{name}";
          };
        })
      ];
    };
in
[
  ({ lib, config, pkgs, name, ... }: {
    options = {
      hostName = lib.mkOption { type = lib.types.str; };
      systemPackages = lib.mkOption { type = lib.types.listOf lib.types.package; default = [ ]; };
      firewall.ports = lib.mkOption { type = lib.types.listOf lib.types.int; default = [ ]; apply = lib.unique; };
      users = lib.mkOption {
        default = { };
        type = lib.types.attrsOf (lib.types.submodule ({ name }: {
          name = lib.mkOption { type = lib.types.str; default = name; };
          uid = lib.mkOption { type = lib.types.int; };
          groups = lib.mkOption { type = lib.types.listOf lib.types.str; default = [ ]; };
          home = lib.mkOption { type = lib.types.str; default = "/home/${'$'}{name}"; };
        }));
      };
      files = lib.mkOption {
        default = { };
        type = lib.types.attrsOf (lib.types.submodule ({ name }: {
          text = lib.mkOption { type = lib.types.str; };
          mode = lib.mkOption { type = lib.types.str; default = "0644"; };
          source = lib.mkOption { type = lib.types.str; default = "${'$'}{pkgs.mkDerivation {
            pname = builtins.replaceStrings [ "/" ] [ "-" ] name; version = "1"; phases = [ config.files.${'$'}{name}.text ];
            configureFlags = [ ]; buildInputs = [ pkgs.package10 pkgs.package20 ];
          }}"; };
        }));
      };
      units = lib.mkOption {
        default = { };
        type = lib.types.attrsOf (lib.types.submodule ({ name }: {
          wants = lib.mkOption { type = lib.types.listOf lib.types.str; default = [ ]; };
          environment = lib.mkOption { type = lib.types.attrsOf lib.types.str; default = { }; };
          execStart = lib.mkOption { type = lib.types.str; };
          restart = lib.mkOption { type = lib.types.str; default = "on-failure"; };
          text = lib.mkOption { type = lib.types.str; default = lib.concatStringsSep "\n" (
            [ "[Unit]" ] ++ map (each: "Wants=${'$'}{each}.service") config.units.${'$'}{name}.wants
            ++ [ "[Service]" "ExecStart=${'$'}{config.units.${'$'}{name}.execStart}" "Restart=${'$'}{config.units.${'$'}{name}.restart}" ]
            ++ map (key: "Environment=${'$'}{key}=${'$'}{config.units.${'$'}{name}.environment.${'$'}{key}}") (lib.attrNames config.units.${'$'}{name}.environment)); };
        }));
      };
      system.build.toplevel = lib.mkOption { type = lib.types.package; };
      system.nixos.version = lib.mkOption { type = lib.types.str; default = "26.05"; };
      system.stateVersion = lib.mkOption { type = lib.types.str; default = "25.11"; };
    };
    config = {
      hostName = name;
      system.build.toplevel = pkgs.mkDerivation {
        pname = "nixos-system-${'$'}{name}"; version = config.system.nixos.version;
        phases = map (unit: "${'$'}{pkgs.mkDerivation {
          pname = "unit-${'$'}{unit}.service"; version = "1"; phases = [ config.units.${'$'}{unit}.text ];
          configureFlags = [ ]; buildInputs = [ ];
        }}") (lib.attrNames config.units)
          ++ map (file: "${'$'}{config.files.${'$'}{file}.source}:${'$'}{config.files.${'$'}{file}.mode}") (lib.attrNames config.files);
        configureFlags = map (user: let u = config.users.${'$'}{user}; in "${'$'}{u.name}:${'$'}{toString u.uid}:${'$'}{u.home}:${'$'}{lib.concatStringsSep "," u.groups}")
          (lib.attrNames config.users) ++ map toString config.firewall.ports;
        buildInputs = config.systemPackages;
      };
    };
  })
] ++ builtins.genList serviceModule services
`
