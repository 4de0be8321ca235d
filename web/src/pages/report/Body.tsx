import { useState } from 'react'
import { Copy } from '../../ui/Copy.tsx'
import { Panel } from '../../ui/Panel.tsx'
import classes from './Report.module.css'
import { type SignedReport, textOf } from './verify.ts'

/** The bytes that were signed, as text; indented only for who asks for it. */
export function Body({ report }: { report: SignedReport }) {
  const [indented, setIndented] = useState(false)
  const text = textOf(report)
  return (
    <Panel
      title="The body, exactly as received"
      actions={
        <>
          <label className={classes.choice}>
            <input
              type="checkbox"
              checked={indented}
              onChange={({ target }) => setIndented(target.checked)}
            />
            Indent it
          </label>
          <Copy value={text} what="body" />
        </>
      }
    >
      <pre className={classes.text}>
        <bdi>{indented ? indent(text) : text}</bdi>
      </pre>
    </Panel>
  )
}

function indent(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
