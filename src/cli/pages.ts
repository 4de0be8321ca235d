/** The most the server gives at once. */
const PAGE_SIZE = 1000

export type Page<Name extends string, Row> = Record<Name, Row[]> & { next: string | null }

/** As many rows as there are, up to `limit`. */
export async function takePages<Row>(
  limit: number,
  getPage: (page: { limit: number; after?: string }) => Promise<{ rows: Row[]; next: string | null }>,
): Promise<Row[]> {
  const rows: Row[] = []
  for (let after: string | null | undefined; after !== null && rows.length < limit;) {
    const size = Math.min(PAGE_SIZE, limit - rows.length)
    const page = await getPage({ limit: size, ...(after !== undefined && { after }) })
    rows.push(...page.rows)
    after = page.next
  }
  return rows
}
