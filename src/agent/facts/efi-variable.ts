/** EFI_GLOBAL_VARIABLE (UEFI specification, 3.3 "Globally Defined Variables"). */
const GLOBAL_VARIABLE = '8be4df61-93ca-11d2-aa0d-00e098032b8c'
const ATTRIBUTE_BYTES = 4

export function efiVariablePath(name: string): string {
  return `/sys/firmware/efi/efivars/${name}-${GLOBAL_VARIABLE}`
}

/** A boolean global variable as efivarfs gives it: four bytes of attributes, then the value, one byte 0 or 1. */
export function parseEfiFlag(bytes: Uint8Array): boolean {
  const value = bytes[ATTRIBUTE_BYTES]
  if (bytes.length !== ATTRIBUTE_BYTES + 1 || (value !== 0 && value !== 1)) {
    throw new Error(
      `the EFI variable holds ${Buffer.from(bytes.subarray(0, 16)).toString('hex')}, which is no flag`,
    )
  }
  return value === 1
}
