import { Copy } from './Copy.tsx'
import classes from './Snippet.module.css'

/** Text that is to be pasted elsewhere. */
export function Snippet({ text, what }: { text: string; what: string }) {
  return (
    <div className={classes.snippet}>
      <pre>
        <code>{text}</code>
      </pre>
      <div className={classes.copy}>
        <Copy value={text} what={what} />
      </div>
    </div>
  )
}
