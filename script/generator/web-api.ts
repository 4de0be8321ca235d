/**
 * The operations of the API as TypeScript, for the dashboard: by operationId, with method, path, parameters, body and answer.
 * Our own because the libraries for it want the compiler of TypeScript 5, or make no table of operations that one typed
 * function can be called with.
 */
export function describeApiForWeb(openApi: string): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what describeApi made
  const { paths, components } = JSON.parse(openApi) as OpenApi
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: path.replace(/^\/api\/v1/, ''),
      ...operation,
    })),
  )
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `export type ${name} = ${typeOf(schema)}\n`,
  )
  const types = operations.map(
    (each) => `  ${each.operationId}: {
    params: ${parametersOf(each, 'path')}
    query: ${parametersOf(each, 'query')}
    body: ${bodyOf(each)}
    answer: ${answerOf(each)}
  }
`,
  )
  const places = operations.map((each) => `  ${each.operationId}: ['${each.method}', '${each.path}'],\n`)
  return `// Made by script/generate from docs/openapi.json.
${schemas.join('')}
export interface Operations {
${types.join('')}}

export const PLACES: { readonly [Name in keyof Operations]: readonly [method: string, path: string] } = {
${places.join('')}}
`
}

interface OpenApi {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

interface Operation {
  operationId: string
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>
}

interface Schema {
  $ref?: string
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  patternProperties?: Record<string, Schema>
}

function parametersOf(operation: Operation, place: string): string {
  const parameters = (operation.parameters ?? []).filter((each) => each.in === place)
  if (parameters.length === 0) return 'undefined'
  return typeOf({
    type: 'object',
    properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, schema])),
    required: parameters.filter(({ required }) => required === true).map(({ name }) => name),
  })
}

function bodyOf({ requestBody }: Operation): string {
  const schema = requestBody?.content['application/json']?.schema
  return schema === undefined ? 'undefined' : typeOf(schema)
}

function answerOf({ responses }: Operation): string {
  const types = Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([, { content }]) => content?.['application/json']?.schema)
    .map((schema) => (schema === undefined ? 'undefined' : typeOf(schema)))
  return [...new Set(types)].join(' | ')
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return choices.map(typeOf).join(' | ')
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type })).join(' | ')
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type
    case 'integer':
    case 'number':
      return 'number'
    case 'array':
      return `(${typeOf(schema.items ?? {})})[]`
    case 'object':
      return objectType(schema)
    default:
      return 'unknown'
  }
}

function objectType({ properties, required = [], additionalProperties, patternProperties }: Schema): string {
  if (properties === undefined) {
    const values = Object.values(patternProperties ?? {})[0] ?? additionalProperties
    return `Record<string, ${typeof values === 'object' ? typeOf(values) : 'unknown'}>`
  }
  const members = Object.entries(properties).map(
    ([name, schema]) => `${JSON.stringify(name)}${required.includes(name) ? '' : '?'}: ${typeOf(schema)}`,
  )
  return `{ ${members.join('; ')} }`
}
