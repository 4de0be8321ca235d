# A configuration as TOML, which `crystal-forge check-config` has found good when it is built. Of the values here, texts,
# numbers, booleans and lists, JSON and TOML write all alike.
{
  lib,
  pkgs,
  package,
}:
let
  assignments = lib.mapAttrsToList (name: value: "${name} = ${builtins.toJSON value}\n");
  table =
    heading: values: lib.optional (values != { }) (lib.concatStrings ([ "${heading}\n" ] ++ assignments values));
  section =
    name: value:
    if lib.isList value then
      lib.concatMap (row: [ (lib.concatStrings ([ "[[${name}]]\n" ] ++ assignments row)) ]) value
    else
      table "[${name}]" value;
in
{
  toToml =
    config: lib.concatStringsSep "\n" (lib.concatLists (lib.mapAttrsToList section config));

  # `environment` is for values that are not in the file.
  checked =
    {
      name,
      text,
      environment ? { },
    }:
    pkgs.runCommand name
      {
        inherit text;
        passAsFile = [ "text" ];
        nativeBuildInputs = [ package ];
      }
      ''
        cp "$textPath" "$out"
        ${lib.concatStrings (
          lib.mapAttrsToList (variable: value: "export ${variable}=${lib.escapeShellArg value}\n") environment
        )}CONFIG_PATH=$out crystal-forge check-config --part none > /dev/null
      '';
}
