/** Any host: only paths below it are let through. */
const HERE = 'http://here.invalid'
const MAX_LENGTH = 2000

/**
 * The path, query and fragment to go on to after sign-in, or `/` for what is none of ours: another address, in any of the
 * forms that browsers take for one (`//host`, `/\host`, with tabs or line breaks in between).
 */
export function localPath(text: string | undefined): string {
  if (text === undefined || text.length > MAX_LENGTH || !/^\/[\u0021-\u007e]*$/.test(text)) return '/'
  const url = URL.canParse(text, HERE) ? new URL(text, HERE) : null
  // dots may leave what begins with two slashes
  if (url?.origin !== HERE || url.pathname.startsWith('//')) return '/'
  return `${url.pathname}${url.search}${url.hash}`
}
