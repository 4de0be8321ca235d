import { Copy } from '../../ui/Copy.tsx'
import { Facts } from '../../ui/Facts.tsx'
import { Mono } from '../../ui/Mono.tsx'
import classes from './Report.module.css'
import { type SignedReport, signedBytes } from './verify.ts'

/** The parts of the request that the signature covers, and the text that was signed. */
export function SignedRequest({ report }: { report: SignedReport }) {
  const { evidence } = report
  return (
    <div className={classes.signed}>
      {evidence.signature_input === null && (
        <p>
          Agents of version 0 sign the body alone, and send the signature as <code>X-Signature</code>.
        </p>
      )}
      <Facts
        of={{
          'Public key': <Mono value={evidence.public_key} what="public key" />,
          Request: code(`${evidence.method} ${evidence.path}`),
          Authority: code(evidence.authority),
          'Content-Digest': code(evidence.content_digest),
          'Signature-Input': code(evidence.signature_input),
          Signature: code(evidence.signature),
        }}
      />
      {evidence.signature_input !== null && <SignatureBase evidence={evidence} />}
    </div>
  )
}

const code = (text: string | null) => (text === null ? null : <code>{text}</code>)

function SignatureBase({ evidence }: { evidence: SignedReport['evidence'] }) {
  const base = baseOf(evidence)
  if (base === null)
    return <p>The signature headers cannot be read, so that it is not known what was signed.</p>
  return (
    <div>
      <h3 className={classes.subhead}>
        The text that was signed (RFC 9421, section 2.5) <Copy value={base} what="signature base" />
      </h3>
      <pre className={classes.text}>{base}</pre>
    </div>
  )
}

function baseOf(evidence: SignedReport['evidence']): string | null {
  try {
    return new TextDecoder().decode(signedBytes(evidence).signed)
  } catch {
    return null
  }
}
