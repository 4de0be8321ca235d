# The part of nixpkgs' lib that nix/module uses, written anew for the tests, which have no nixpkgs. The same tests can be run
# with the real one: CRYSTAL_FORGE_TEST_NIXPKGS_LIB (docs/nixos.md, "How the module is tested").
let
  lib =
    builtins
    // import ./types.nix { inherit lib; }
    // import ./modules.nix { inherit lib; }
    // rec {
      inherit (builtins) head filter elem attrNames attrValues isList replaceStrings concatLists concatStringsSep;

      nameValuePair = name: value: { inherit name value; };
      mapAttrs' = f: set: builtins.listToAttrs (mapAttrsToList f set);
      mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
      filterAttrs =
        keep: set:
        builtins.listToAttrs (
          map (name: nameValuePair name set.${name}) (filter (name: keep name set.${name}) (attrNames set))
        );
      genAttrs = names: f: builtins.listToAttrs (map (name: nameValuePair name (f name)) names);
      optionalAttrs = condition: set: if condition then set else { };
      setAttrByPath =
        path: value:
        if path == [ ] then value else { ${head path} = setAttrByPath (builtins.tail path) value; };

      optional = condition: item: if condition then [ item ] else [ ];
      optionals = condition: list: if condition then list else [ ];
      toList = value: if isList value then value else [ value ];
      any = builtins.any;
      count = test: list: builtins.length (filter test list);
      imap0 = f: list: builtins.genList (index: f index (builtins.elemAt list index)) (builtins.length list);
      unique = builtins.foldl' (seen: item: if elem item seen then seen else seen ++ [ item ]) [ ];
      allUnique = list: unique list == list;

      concatMap = builtins.concatMap;
      concatStrings = concatStringsSep "";
      concatMapStrings = f: list: concatStrings (map f list);
      hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
      removePrefix =
        prefix: text:
        if hasPrefix prefix text then builtins.substring (builtins.stringLength prefix) (-1) text else text;
      removeSuffix =
        suffix: text:
        let
          length = builtins.stringLength text - builtins.stringLength suffix;
        in
        if builtins.substring length (-1) text == suffix then builtins.substring 0 length text else text;
      escapeShellArg = text: "'${replaceStrings [ "'" ] [ "'\\''" ] (toString text)}'";
      escapeShellArgs = builtins.concatStringsSep " ";
      toInt = builtins.fromJSON;
      licenses.asl20.spdxId = "Apache-2.0";
      fileset.unions = files: files;
      fileset.toSource = { root, fileset }: builtins.seq (map builtins.pathExists fileset) root;
      letters = "abcdefghijklmnopqrstuvwxyz";
      characters = text: builtins.genList (index: builtins.substring index 1 text) (builtins.stringLength text);
      toUpper = replaceStrings (characters letters) (characters "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
      toLower = replaceStrings (characters "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (characters letters);
      getExe = package: "${package}/bin/${package.meta.mainProgram}";
      importJSON = path: builtins.fromJSON (builtins.readFile path);
    };
in
lib
