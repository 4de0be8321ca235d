import { sign } from 'node:crypto'
import { contentDigest } from '../../../src/protocol/digests.ts'
import { signRequest } from '../../../src/protocol/sign.ts'
import { COMPONENTS, coveredLines, signatureBase } from '../../../src/protocol/signature-base.ts'
import { sendRaw } from '../../support/raw-http.ts'
import { type Given, refusal } from './refusal.ts'

const BODY = '{"version":1}'

/** The head of a request that our agent signed, each line as it is sent. */
function signedLines({ server, agent }: Given, path = '/agent/heartbeat'): string[] {
  const signed = signRequest({
    method: 'POST',
    authority: server.authority,
    path,
    body: Buffer.from(BODY),
    key: agent.key,
    createdSecs: Math.floor(Date.now() / 1000),
  })
  return [
    `POST ${path} HTTP/1.1`,
    `Host: ${server.authority}`,
    'Content-Type: application/json',
    `Content-Length: ${BODY.length}`,
    ...Object.entries(signed).map(([name, value]) => `${name}: ${value}`),
  ]
}

const send = (given: Given, lines: readonly string[]) =>
  sendRaw(given.server.url, `${lines.join('\r\n')}\r\n\r\n${BODY}`)

/** Sends a signed request after a change to its lines. */
const changed =
  (change: (lines: string[]) => string[]) =>
  (given: Given): ReturnType<typeof sendRaw> =>
    send(given, change(signedLines(given)))

const without = (start: string) =>
  changed((lines) => lines.filter((line) => !line.toLowerCase().startsWith(start)))
const withLine = (line: string) => changed((lines) => [...lines, line])
const replaced = (from: string | RegExp, to: string) =>
  changed((lines) => lines.map((line) => line.replace(from, to)))

/** A request whose signature covers this Content-Digest. */
const withDigest = (digest: string) => (given: Given) => {
  const [, parameters = ''] = /^signature-input: cf=(.*)$/m.exec(signedLines(given).join('\n')) ?? []
  const covered = {
    method: 'POST',
    authority: given.server.authority,
    path: '/agent/heartbeat',
    contentDigest: digest,
  }
  const base = signatureBase(coveredLines(COMPONENTS, covered), parameters)
  const lines = [
    ...signedLines(given).filter((line) => !/^(content-digest|signature)/.test(line)),
    `content-digest: ${digest}`,
    `signature-input: cf=${parameters}`,
    `signature: cf=:${sign(null, Buffer.from(base), given.agent.key.keyObject).toString('base64')}:`,
  ]
  return send(given, lines)
}

/** What is wrong with a request as HTTP, or with its signature headers, whatever is in its body. */
export const httpRefusals = [
  refusal('malformed', 'the bytes are no HTTP', ({ server }) => sendRaw(server.url, 'garbage\r\n\r\n')),
  refusal('malformed', 'the method does not exist', replaced('POST', 'PSOT')),
  refusal('malformed', 'the length is given twice, in two ways', withLine('Transfer-Encoding: chunked')),
  refusal('malformed', 'the length is given twice', withLine(`Content-Length: ${BODY.length}`)),
  refusal('malformed', 'a header is larger than 16 KiB', withLine(`X-Large: ${'x'.repeat(20_000)}`)),
  refusal('malformed', 'there is no Host', without('host')),
  refusal('malformed', 'there are two Hosts', withLine('Host: other.example.org')),
  refusal('malformed', 'there are two equal Hosts', (given) =>
    send(given, [...signedLines(given), `Host: ${given.server.authority}`]),
  ),
  refusal('malformed', 'the path cannot be decoded', ({ server }) =>
    sendRaw(server.url, `GET /%zz HTTP/1.1\r\nHost: ${server.authority}\r\n\r\n`),
  ),
  refusal('malformed', 'there is a query string', (given) =>
    send(given, signedLines(given, '/agent/heartbeat?x=1')),
  ),
  refusal('malformed', 'there is an empty query string', (given) =>
    send(given, signedLines(given, '/agent/heartbeat?')),
  ),
  refusal('malformed', 'there is a fragment', (given) =>
    send(given, signedLines(given, '/agent/heartbeat#x')),
  ),
  refusal('malformed', 'the path is encoded', (given) =>
    send(given, signedLines(given, '/agent/%68eartbeat')),
  ),
  refusal('malformed', 'the target is a URL', replaced('/agent/heartbeat', 'http://a/agent/heartbeat')),
  refusal('malformed', 'there is a Content-Encoding', withLine('Content-Encoding: gzip')),
  refusal('malformed', 'there is a Content-Encoding of nothing', withLine('Content-Encoding: identity')),
  refusal('malformed', 'there are two Content-Types', withLine('Content-Type: application/json')),
  refusal('malformed', 'there is no Content-Digest', without('content-digest')),
  refusal('malformed', 'there are two Content-Digests', (given) =>
    send(given, [...signedLines(given), `Content-Digest: ${contentDigest(Buffer.from(BODY))}`]),
  ),
  refusal('malformed', 'Content-Digest is no dictionary', withDigest('(')),
  refusal('malformed', 'Content-Digest has no sha-256', withDigest(`sha-512=:${'A'.repeat(86)}==:`)),
  refusal('malformed', 'sha-256 is no byte sequence', withDigest('sha-256="x"')),
  refusal(
    'malformed',
    'Signature-Input is no dictionary',
    replaced(/^signature-input: .*/, 'signature-input: (('),
  ),
  refusal('malformed', 'Signature is no dictionary', replaced(/^signature: .*/, 'signature: x=')),
  refusal(
    'malformed',
    'Signature has no member of that name',
    replaced(/^signature: cf=/, 'signature: other='),
  ),
  refusal('malformed', 'the signature has 63 bytes', (given) =>
    send(
      given,
      signedLines(given).map((line) =>
        line.startsWith('signature: ') ? `signature: cf=:${Buffer.alloc(63).toString('base64')}:` : line,
      ),
    ),
  ),
  refusal('malformed', 'a component is missing', replaced(' "@path"', '')),
  refusal('malformed', 'a component is there twice', replaced(' "@path"', ' "@path" "@path"')),
  refusal('malformed', 'there is a fifth component', replaced(' "@path"', ' "@path" "@scheme"')),
  refusal('malformed', 'a component has a parameter', replaced(' "@path"', ' "@path";req')),
  refusal('malformed', 'a parameter is unknown', replaced(';alg=', ';x="y";alg=')),
  refusal('malformed', 'alg is another', replaced('alg="ed25519"', 'alg="rsa-pss-sha512"')),
  refusal('malformed', 'created is missing', replaced(/;created=\d+/, '')),
  refusal('malformed', 'created is a Decimal', replaced(/;created=(\d+)/, ';created=$1.0')),
  refusal('malformed', 'keyid is missing', replaced(/;keyid="[^"]*"/, '')),
  refusal(
    'malformed',
    'two signatures have our tag',
    replaced(/^signature-input: cf=(.*)$/, 'signature-input: cf=$1, other=$1'),
  ),
  refusal('unsigned', 'there is no signature', without('signature')),
  refusal('unsigned', 'there is no Signature-Input', without('signature-input')),
  refusal('unsigned', 'there is no Signature', without('signature:')),
  refusal('unsigned', 'no signature has our tag', replaced('tag="crystal-forge-agent"', 'tag="another"')),
  refusal('unsupported', 'the body is of another type', replaced('application/json', 'text/plain')),
  refusal('unsupported', 'the body has no type', without('content-type')),
  refusal('unsupported', 'the body is in another charset', replaced('json', 'json; charset=latin1')),
]
