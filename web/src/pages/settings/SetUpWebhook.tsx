import { useState } from 'react'
import { Field } from '../../ui/Field.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Snippet } from '../../ui/Snippet.tsx'
import classes from './Settings.module.css'

const PROVIDERS = {
  github: {
    name: 'GitHub',
    where: 'In the repository or organisation: Settings, Webhooks, Add webhook.',
    set: 'Content type application/json, the secret as Secret, and “Just the push event”.',
  },
  gitlab: {
    name: 'GitLab',
    where: 'In the project or group: Settings, Webhooks, Add new webhook.',
    set: '“Push events”, and a signing token (whsec_…, which goes into the secret file as it is); where GitLab has none, the secret as Secret token.',
  },
  gitea: {
    name: 'Gitea',
    where: 'In the repository or organisation: Settings, Webhooks, Add webhook, Gitea.',
    set: 'POST, application/json, the secret as Secret, and “Push events”.',
  },
  forgejo: {
    name: 'Forgejo',
    where: 'In the repository or organisation: Settings, Webhooks, Add webhook, Forgejo.',
    set: 'POST, application/json, the secret as Secret, and “Push events”.',
  },
  generic: {
    name: 'Another',
    where: 'In a hook that runs after a push: send the repository, the branch and the commit as JSON.',
    set: 'X-Crystal-Forge-Signature-256: sha256=…, the HMAC-SHA-256 of the body in hex.',
  },
} as const
type Provider = keyof typeof PROVIDERS

const SECRET = 'openssl rand -hex 32 > /run/secrets/crystal-forge-webhook'
const CONFIGURATION = '[server]\nwebhook_secret_files = ["/run/secrets/crystal-forge-webhook"]'
const MODULE =
  'services.crystal-forge.server.webhook_secret_files = [ "/run/secrets/crystal-forge-webhook" ];'
const GENERIC_BODY = '{"repository": "<any address of it>", "ref": "refs/heads/main", "after": "<commit>"}'

/** How a Git host announces pushes to this server. */
export function SetUpWebhook() {
  const [provider, setProvider] = useState<Provider>('github')
  const { where, set } = PROVIDERS[provider]
  return (
    <Panel title="Set one up">
      <div className={classes.stack}>
        <p>With a webhook a push is known at once, not when Git is asked next.</p>
        <h3>1. Give the server a secret</h3>
        <Snippet text={SECRET} what="command" />
        <p className={classes.quiet}>In the NixOS configuration of the server, or in its config.toml:</p>
        <Snippet text={MODULE} what="NixOS option" />
        <Snippet text={CONFIGURATION} what="configuration" />
        <h3>2. Give it to the Git host</h3>
        <div className={classes.narrow}>
          <Field label="Git host">
            {(tie) => (
              <select
                {...tie}
                value={provider}
                onChange={({ target }) => {
                  if (isProvider(target.value)) setProvider(target.value)
                }}
              >
                {Object.entries(PROVIDERS).map(([key, { name }]) => (
                  <option key={key} value={key}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </div>
        <p>{where}</p>
        <Snippet text={`${location.origin}/webhook/${provider}`} what="address" />
        {provider === 'generic' && <Snippet text={GENERIC_BODY} what="body" />}
        <p>{set}</p>
      </div>
    </Panel>
  )
}

function isProvider(name: string): name is Provider {
  return Object.hasOwn(PROVIDERS, name)
}
