# Types of options: what values they take, and how several definitions become one.
{ lib }:
let
  fail = path: text: throw "The option `${builtins.concatStringsSep "." path}' ${text}";
  equal =
    path: values:
    if builtins.all (value: value == builtins.head values) values then
      builtins.head values
    else
      fail path "has conflicting definition values";
  type = description: check: {
    inherit description check;
    merge = equal;
  };
in
{
  # The value of an option by its definitions, each of which has to be of the type.
  mergeChecked =
    type: path: values:
    if builtins.all type.check values then
      type.merge path values
    else
      fail path "is not of type `${type.description}': ${builtins.toJSON (builtins.filter (value: !type.check value) values)}";

  types = rec {
    anything = type "anything" (_: true);
    bool = type "boolean" builtins.isBool;
    str = type "string" builtins.isString;
    nonEmptyStr = type "non-empty string" (value: builtins.isString value && builtins.match "[[:space:]]*" value == null);
    strMatching =
      pattern:
      type "string matching ${pattern}" (value: builtins.isString value && builtins.match pattern value != null);
    path = type "absolute path" (
      value:
      (builtins.isPath value || builtins.isString value || value ? outPath)
      && builtins.substring 0 1 (toString value) == "/"
    );
    package = type "package" (value: value.type or null == "derivation");
    enum = values: type "one of ${builtins.toJSON values}" (value: builtins.elem value values);
    int = type "integer" builtins.isInt;
    ints.between =
      lowest: highest:
      type "integer between ${toString lowest} and ${toString highest}" (
        value: builtins.isInt value && value >= lowest && value <= highest
      );
    lines = str // {
      merge = _: builtins.concatStringsSep "\n";
    };

    nullOr = item: {
      description = "null or ${item.description}";
      check = value: value == null || item.check value;
      merge =
        path: values:
        if builtins.elem null values then equal path values else item.merge path values;
    };
    either = first: second: {
      description = "${first.description} or ${second.description}";
      check = value: first.check value || second.check value;
      merge =
        path: values:
        if builtins.all first.check values then first.merge path values else second.merge path values;
    };
    listOf = item: {
      getSubOptions = item.getSubOptions or (_: { });
      description = "list of ${item.description}";
      check = builtins.isList;
      merge =
        path: values:
        lib.imap0 (index: value: lib.mergeDefinitions item (path ++ [ (toString index) ]) [ value ]) (
          builtins.concatLists values
        );
    };
    attrsOf = item: {
      description = "attribute set of ${item.description}";
      check = builtins.isAttrs;
      merge =
        path: values:
        builtins.mapAttrs (name: definitions: lib.mergeDefinitions item (path ++ [ name ]) definitions) (
          lib.filterAttrs (_: definitions: lib.concatMap lib.discharge definitions != [ ]) (
            builtins.zipAttrsWith (_: definitions: definitions) values
          )
        );
    };
    submodule = module: {
      getSubOptions = _: module.options;
      description = "submodule";
      check = builtins.isAttrs;
      merge =
        path: values:
        (lib.evalModules {
          modules = [ module ] ++ map (config: { inherit config; }) values;
          prefix = path;
        }).config;
    };
  };
}
