import classes from './Message.module.css'

/** What Nix or Git wrote, whole. */
export function Message({ of: text, from }: { of: string; from: 'Nix' | 'Git' }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- so that the keyboard can scroll it
    <pre className={classes.message} role="region" aria-label={`Message of ${from}`} tabIndex={0}>
      <bdi>{text}</bdi>
    </pre>
  )
}
