import classes from './LongText.module.css'

/** So much is shown at once: hosts and programs may say what they like. */
const MOST = 300

/** What somebody else wrote; the rest of a long text is for who asks. */
export function LongText({ of: text }: { of: string }) {
  if (text.length <= MOST) return <bdi>{text}</bdi>
  return (
    <details>
      <summary>
        <bdi>{text.slice(0, MOST)}</bdi>…
      </summary>
      <bdi className={classes.whole}>{text}</bdi>
    </details>
  )
}
