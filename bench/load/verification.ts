import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'

const ROUNDS = 10_000

/** Processor time of one bare Ed25519 verification of `node:crypto` with its key object made before, in microseconds. */
export function timeVerification(): number {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const message = randomBytes(300)
  const signature = sign(null, message, privateKey)
  const start = process.cpuUsage()
  for (let round = 0; round < ROUNDS; round += 1) verify(null, message, publicKey, signature)
  const { user, system } = process.cpuUsage(start)
  return (user + system) / ROUNDS
}
