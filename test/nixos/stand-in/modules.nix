# A small module system: options, definitions with conditions and priorities, submodules, aliases.
{ lib }:
rec {
  mkOption = option: { _type = "option"; } // option;
  mkEnableOption =
    what:
    mkOption {
      type = lib.types.bool;
      default = false;
      example = true;
      description = "Whether to enable ${what}.";
    };
  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  mkDefault = mkOverride 1000;
  mkForce = mkOverride 50;

  notGiven = "<not given>";
  mkAliasOptionModule =
    from: to:
    { config, ... }:
    let
      value = lib.foldl' (set: name: set.${name}) config from;
    in
    {
      options = lib.setAttrByPath from (mkOption {
        type = lib.types.anything;
        default = notGiven;
        description = "Alias of `${lib.concatStringsSep "." to}`.";
      });
      config = lib.setAttrByPath to (mkIf (value != notGiven) value);
    };

  # The definitions that count, without their conditions.
  discharge =
    definition:
    if definition._type or null == "if" then
      if definition.condition then discharge definition.content else [ ]
    else if definition._type or null == "merge" then
      lib.concatMap discharge definition.contents
    else
      [ definition ];

  # Definitions of a set of options, with the conditions moved into it: to know its names none of them is asked.
  pushDown =
    definition:
    if definition._type or null == "if" then
      map (builtins.mapAttrs (_: mkIf definition.condition)) (pushDown definition.content)
    else if definition._type or null == "merge" then
      lib.concatMap pushDown definition.contents
    else
      [ definition ];

  mergeDefinitions =
    type: path: definitions:
    let
      all = lib.concatMap discharge definitions;
      isOverride = definition: definition._type or null == "override";
      ranked = map (
        definition: if isOverride definition then definition else { priority = 100; content = definition; }
      ) all;
      strongest = lib.foldl' (lowest: each: if each.priority < lowest then each.priority else lowest) 9999 ranked;
      kept = map (each: each.content) (lib.filter (each: each.priority == strongest) ranked);
    in
    lib.mergeChecked type path kept;

  isOption = value: value._type or null == "option";

  # Module files with all they import, each as { options, config }.
  collect =
    arguments: module:
    let
      loaded = if builtins.isPath module || builtins.isString module then import module else module;
      given = if builtins.isFunction loaded then loaded arguments else loaded;
      isStructured = given ? options || given ? config;
    in
    [
      {
        options = given.options or { };
        config = given.config or (if isStructured then { } else removeAttrs given [ "imports" ]);
      }
    ]
    ++ lib.concatMap (collect arguments) (given.imports or [ ]);

  mergeOptions =
    trees:
    builtins.zipAttrsWith (
      _: options: if lib.any isOption options then lib.head (lib.filter isOption options) else mergeOptions options
    ) trees;

  valueOf =
    path: option: definitions:
    let
      given = lib.concatMap discharge definitions;
      value =
        if given != [ ] then
          mergeDefinitions option.type path definitions
        else if option ? default then
          # A default is checked like what is given.
          mergeDefinitions option.type path [ option.default ]
        else
          throw "The option `${lib.concatStringsSep "." path}' was accessed but has no value defined";
    in
    (option.apply or (same: same)) value;

  valuesOf =
    path: tree: definitions:
    builtins.mapAttrs (
      name: option:
      let
        below = lib.concatMap (definition: lib.optional (definition ? ${name}) definition.${name}) (
          lib.concatMap pushDown definitions
        );
      in
      if isOption option then valueOf (path ++ [ name ]) option below else valuesOf (path ++ [ name ]) option below
    ) tree;

  # Names that are defined and no option.
  strangers =
    path: tree: definitions:
    lib.concatMap (
      definition:
      lib.concatMap (
        name:
        let
          here = path ++ [ name ];
        in
        if !tree ? ${name} then
          [ (lib.concatStringsSep "." here) ]
        else
          lib.optionals (!isOption tree.${name}) (strangers here tree.${name} [ definition.${name} ])
      ) (lib.attrNames definition)
    ) (lib.concatMap pushDown definitions);

  evalModules =
    {
      modules,
      specialArgs ? { },
      prefix ? [ ],
    }:
    let
      arguments = specialArgs // {
        inherit lib config options;
      };
      collected = lib.concatMap (collect arguments) modules;
      options = mergeOptions (map (module: module.options) collected);
      definitions = map (module: module.config) collected;
      config = valuesOf prefix options definitions;
      unknown = strangers prefix options definitions;
    in
    {
      inherit options;
      config =
        if unknown == [ ] then config else throw "The option `${lib.head unknown}' does not exist";
    };
}
