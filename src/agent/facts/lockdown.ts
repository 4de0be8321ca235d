/** /sys/kernel/security/lockdown: `[none] integrity confidentiality`, the mode in force in brackets. */
export function parseLockdown(text: string): string {
  const mode = /\[(\w+)\]/.exec(text)?.[1]
  if (mode === undefined) throw new Error('/sys/kernel/security/lockdown marks no mode')
  return mode
}
