# Rules about `flakes` and `systems`.
{ lib, rule }:
{ flakes, systems, ... }:
let
  # The first that is there twice, or null.
  firstTwice =
    names:
    let
      twice = lib.filter (name: lib.count (other: other == name) names > 1) names;
    in
    if twice == [ ] then null else lib.head twice;

  hostname = firstTwice (map (system: lib.toLower system.hostname) systems);
  key = firstTwice (
    lib.concatMap (system: lib.optional (system.public_key != null) system.public_key ++ system.public_keys) systems
  );
  flake = firstTwice (map (each: { inherit (each) url branch; }) flakes);
  branchesOf = url: lib.count (each: each.url == url) flakes;
in
[
  (rule (hostname == null) "systems names \"${toString hostname}\" twice: host names must differ, whatever their case.")
  (rule (key == null) "systems gives the public key ${toString key} twice: each belongs to one system.")
  (rule (flake == null) "flakes names ${flake.url or ""} twice with the same branch.")
]
++ lib.concatMap (system: [
  (rule (system.configuration != null -> system.flake_url != null)
    "systems: the configuration of ${system.hostname} has no effect without its flake_url."
  )
  (rule (system.flake_url == null || branchesOf system.flake_url < 2)
    "systems: the flake_url of ${system.hostname} names a repository of which several branches are declared in flakes."
  )
]) systems
