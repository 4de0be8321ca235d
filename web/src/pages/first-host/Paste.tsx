import { TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { Empty } from '../../ui/Empty.tsx'
import { Snippet } from '../../ui/Snippet.tsx'
import { blockFor, type Way } from './blocks.ts'
import classes from './FirstHost.module.css'

const WAYS: Record<Way, string> = { nixos: 'With the NixOS module', other: 'Without it' }

export function Paste({ token }: { token: string | null }) {
  const [way, setWay] = useState<Way>('nixos')
  if (token === null)
    return (
      <Empty title="The block comes here">
        <p>It has a token in it that lets this one host in, once, within a day.</p>
      </Empty>
    )
  return (
    <div className={classes.stack}>
      <fieldset className={classes.choice}>
        <legend className="visually-hidden">How the agent is run</legend>
        {(['nixos', 'other'] as const).map((each) => (
          <label key={each}>
            <input type="radio" name="way" checked={way === each} onChange={() => setWay(each)} />
            {WAYS[each]}
          </label>
        ))}
      </fieldset>
      {!isConfidential() && (
        <p className={classes.note}>
          <TriangleAlert aria-hidden size={17} />
          <span>
            Hosts enrol over HTTPS only. Open this page by the server’s HTTPS address, and make the block
            there.
          </span>
        </p>
      )}
      <Snippet text={blockFor(way, { server: location.origin, token })} what="block" />
      {way === 'nixos' ? (
        <>
          <p>
            Then import both in the host’s configuration, and switch: <code>nixos-rebuild switch</code>. Where
            the configuration is kept elsewhere, move <code>crystal-forge.nix</code> there.
          </p>
          <Snippet
            text="modules = [ crystal-forge.nixosModules.default ./crystal-forge.nix ];"
            what="import"
          />
        </>
      ) : (
        <p>
          It needs <code>crystal-forge</code> on the path, and reports for as long as it runs.
        </p>
      )}
      <p className={classes.quiet}>The token in it is shown this once.</p>
    </div>
  )
}

/** What the server asks of enrolments: TLS, or its own machine. */
function isConfidential(): boolean {
  return location.protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname)
}
