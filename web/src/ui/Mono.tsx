import { Copy } from './Copy.tsx'
import classes from './Mono.module.css'

/** A digest, revision or path: shortened to what tells it apart, whole on hover and when copied. */
export function Mono({ value, what, short = value }: { value: string; what: string; short?: string }) {
  return (
    <span className={classes.mono}>
      <code title={value}>
        <bdi>{short}</bdi>
      </code>
      <Copy value={value} what={what} />
    </span>
  )
}

export function StorePath({ path }: { path: string }) {
  return <Mono value={path} what="store path" short={shortStorePath(path)} />
}

export function Revision({ sha }: { sha: string }) {
  return <Mono value={sha} what="revision" short={sha.slice(0, 10)} />
}

/** `/nix/store/<32 characters>-name` as `abcdefg…-name`. */
export function shortStorePath(path: string): string {
  const [, hash, name] = /^\/nix\/store\/([a-z0-9]{32})-(.+)$/.exec(path) ?? []
  return hash === undefined ? path : `${hash.slice(0, 7)}…-${name}`
}
