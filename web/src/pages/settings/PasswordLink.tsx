import type { Answer } from '../../api/client.ts'
import { ShownOnce } from '../../ui/ShownOnce.tsx'
import { Time } from '../../ui/Time.tsx'

export function PasswordLink({
  name,
  link: { link, expires_at: expiresAt },
  onClose,
}: {
  name: string
  link: Answer<'createPasswordLink'>
  onClose: () => void
}) {
  return (
    <ShownOnce title={`Link for ${name}`} what="link" secret={link} onClose={onClose}>
      <p>
        With this link <bdi>{name}</bdi> chooses a password, once. It works until <Time at={expiresAt} />;
        send it by a way that nobody else reads.
      </p>
    </ShownOnce>
  )
}
