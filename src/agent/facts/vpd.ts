const HEADER_BYTES = 4
const UNIT_SERIAL_NUMBER = 0x80

/**
 * SCSI vital product data page 80h, "Unit Serial Number" (SPC-4, 7.8.15), which libata makes for SATA disks as well:
 * a header of four bytes, the last two of which are the length (big endian), then ASCII padded with spaces.
 */
export function parseSerialPage(bytes: Buffer): string {
  if (bytes.length < HEADER_BYTES || bytes[1] !== UNIT_SERIAL_NUMBER) throw new Error('is not a VPD page 80h')
  return bytes.subarray(HEADER_BYTES, HEADER_BYTES + bytes.readUInt16BE(2)).toString('latin1')
}
