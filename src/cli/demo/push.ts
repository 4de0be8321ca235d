import { createWebhook } from '../simulate-push/webhook.ts'
import type { DemoPlace } from './place.ts'
import type { DemoRepository } from './repository.ts'

/** Tells the server of a commit as a Git host would, by a signed webhook. */
export async function announcePush(
  { url, webhookSecret }: Pick<DemoPlace, 'url' | 'webhookSecret'>,
  repository: DemoRepository,
  commit: string,
): Promise<void> {
  const push = { remote: repository.path, branch: 'main', commit }
  const { path, headers, body } = createWebhook('generic', push, webhookSecret, Date.now())
  const response = await fetch(`${url}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  const answer = await response.text()
  if (response.status !== 202)
    throw new Error(`the server did not take the webhook: ${response.status} ${answer}`)
}
