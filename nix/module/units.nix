# Durations and sizes, as src/lib/duration.ts and src/lib/size.ts read them.
{ lib }:
let
  read =
    names: text:
    let
      parts = builtins.match "([0-9]+)([A-Za-z]+)" text;
    in
    lib.toInt (builtins.elemAt parts 0) * names.${builtins.elemAt parts 1};
in
rec {
  milliseconds = {
    ms = 1;
    s = 1000;
    m = 60 * 1000;
    h = 60 * 60 * 1000;
    d = 24 * 60 * 60 * 1000;
  };
  bytes = {
    B = 1;
    KiB = 1024;
    MiB = 1024 * 1024;
    GiB = 1024 * 1024 * 1024;
    TiB = 1024 * 1024 * 1024 * 1024;
    kB = 1000;
    MB = 1000 * 1000;
    GB = 1000 * 1000 * 1000;
    TB = 1000 * 1000 * 1000 * 1000;
  };
  readDuration = read milliseconds;
  readSize = read bytes;
}
