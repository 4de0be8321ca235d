import type { Fingerprint } from '../../protocol/facts.ts'
import type { Root } from '../root.ts'
import { readHardware } from './hardware.ts'
import { readNetwork } from './network.ts'
import { createNotes, type Unreadable } from './notes.ts'
import { readSecurity } from './security.ts'
import { readSoftware } from './software.ts'

/**
 * What the machine is (protocol.md, "POST /agent/state"). Never rejects: a fact that cannot be read is null, and
 * `unreadable` names it, or what it is part of, with the reason. Nothing in it changes by itself, so two calls give
 * equal results until something was done to the host.
 */
export async function collectFingerprint(
  root: Root,
  { agentVersion }: { agentVersion: string },
): Promise<{ fingerprint: Fingerprint; unreadable: Unreadable[] }> {
  const notes = createNotes()
  const [hardware, software, network, security] = await Promise.all([
    readHardware(root, notes),
    readSoftware(root, notes, agentVersion),
    readNetwork(root, notes),
    readSecurity(root, notes),
  ])
  return { fingerprint: { hardware, software, network, security }, unreadable: notes.list() }
}
