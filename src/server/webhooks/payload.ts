import { Problem } from '../../protocol/problems.ts'

export type BodyForm = 'json' | 'form'

const TYPE = /^application\/(json|x-www-form-urlencoded)[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?$/i

/** How a webhook's body is written. Throws Problem `unsupported` for anything but JSON and forms, in UTF-8. */
export function bodyFormOf(contentType: string | undefined): BodyForm {
  const [, type] = TYPE.exec(contentType ?? '') ?? []
  if (type === undefined)
    throw new Problem(
      'unsupported',
      'the Content-Type of a webhook has to be application/json or application/x-www-form-urlencoded',
    )
  return type.toLowerCase() === 'json' ? 'json' : 'form'
}

/** The bytes of the JSON document in a body. Throws Problem `malformed` for a form without one member `payload`. */
export function payloadIn(body: Buffer, form: BodyForm): Buffer {
  if (form === 'json') return body
  const [payload, ...more] = new URLSearchParams(body.toString('utf8')).getAll('payload')
  if (payload === undefined || more.length > 0)
    throw new Problem('malformed', 'the form has to have one member "payload" that holds JSON')
  return Buffer.from(payload)
}

/**
 * The document. It is not held to I-JSON, as documents of agents are: of what people wrote into commits nothing is used.
 * Throws Problem `malformed` when it is not JSON.
 */
export function parsePayload(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new Problem('malformed', 'the webhook holds no JSON', { cause })
  }
}

/** A member of an object of its own, whatever its name; undefined where there is none. */
export function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  const found: unknown = Reflect.get(value, name)
  return found
}

/** A member that is text; null where there is none. */
export function textMember(value: unknown, name: string): string | null {
  const found = member(value, name)
  return typeof found === 'string' ? found : null
}
