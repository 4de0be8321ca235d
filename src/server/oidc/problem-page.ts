import type { FastifyReply } from 'fastify'

export interface SignInProblem {
  status: 400 | 403 | 404 | 429 | 502 | 503
  title: string
  /** What was wrong and what to do, a paragraph each. */
  text: readonly string[]
}

/**
 * A page of its own, without script or style: a person comes here from another site, and what it says has to be readable
 * whatever else is broken.
 */
export function sendSignInProblem(reply: FastifyReply, { status, title, text }: SignInProblem): FastifyReply {
  const paragraphs = text.map((each) => `<p>${escapeHtml(each)}</p>`).join('\n')
  return reply.code(status).headers({
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy':
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
  }).send(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} · Crystal Forge</title>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${paragraphs}
<p><a href="/">Back to Crystal Forge</a></p>
</main>
</body>
</html>
`)
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** What a name holds stays text. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
