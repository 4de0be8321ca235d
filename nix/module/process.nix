# What one process is configured with. Files come through LoadCredential, so that its user needs no right to read them;
# systemd.exec(5) says where a unit finds them.
{ lib, cfg }:
{
  # Name of the unit, without `.service`.
  unit,
  # Files for others are left out.
  readers,
  # Names of sections, and of arrays of tables.
  sections,
  schema ? import ./schema.nix { inherit lib; },
}:
let
  directory = "/run/credentials/${unit}.service";

  # What the program would not assume by itself. Its state directory it is told by systemd.
  given =
    section: values:
    lib.filterAttrs (
      name: value:
      schema.${section} ? ${name}
      && name != "state_dir"
      && value != null
      && value != schema.${section}.${name}.default or null
    ) values;

  isFile = section: name: schema.${section}.${name} ? readers;
  isNeeded = section: name: lib.any (reader: lib.elem reader readers) schema.${section}.${name}.readers;

  # The paths of a file key, by the names of their credentials.
  filesOf =
    place: name: value:
    if lib.isList value then
      lib.imap0 (index: path: lib.nameValuePair "${place}.${name}.${toString index}" path) value
    else
      [ (lib.nameValuePair "${place}.${name}" value) ];

  # One section or row: its values, with the places of credentials instead of files, and the credentials.
  part =
    section: place: values:
    let
      kept = lib.filterAttrs (name: _: !(isFile section name) || isNeeded section name) (
        given section values
      );
      files = lib.mapAttrs (filesOf place) (lib.filterAttrs (name: _: isFile section name) kept);
      placed =
        value: list:
        if lib.isList value then
          map (file: "${directory}/${file.name}") list
        else
          "${directory}/${(lib.head list).name}";
    in
    {
      values = kept // lib.mapAttrs (name: list: placed kept.${name} list) files;
      credentials = lib.concatLists (lib.attrValues files);
    };

  partsOf =
    section:
    let
      values = cfg.${section};
    in
    if lib.isList values then
      lib.imap0 (index: row: part section "${section}.${toString index}" row) values
    else
      part section section values;

  parts = lib.genAttrs sections partsOf;
  escapeSpecifiers = lib.replaceStrings [ "%" ] [ "%%" ];
in
{
  inherit directory;
  config = lib.mapAttrs (
    _: section: if lib.isList section then map (row: row.values) section else section.values
  ) parts;
  # For `LoadCredential`.
  credentials = map (file: "${file.name}:${escapeSpecifiers "${file.value}"}") (
    lib.concatMap (section: lib.concatMap (each: each.credentials) (lib.toList section)) (
      lib.attrValues parts
    )
  );
}
