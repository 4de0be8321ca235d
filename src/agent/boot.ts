import type { Root } from './root.ts'

export interface Boot {
  /** Lower-case UUID; another one after each boot. */
  bootId: string | null
  /** Whole seconds since the boot. */
  uptimeSecs: number | null
}

const BOOT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Which boot this is, from /proc/sys/kernel/random/boot_id (random(4)) and /proc/uptime; null what cannot be read. */
export async function readBoot(root: Root): Promise<Boot> {
  const [bootId, uptime] = await Promise.allSettled([
    root.readText('/proc/sys/kernel/random/boot_id'),
    root.readText('/proc/uptime'),
  ])
  return {
    bootId: bootId.status === 'fulfilled' ? parseBootId(bootId.value) : null,
    uptimeSecs: uptime.status === 'fulfilled' ? parseUptime(uptime.value) : null,
  }
}

function parseBootId(text: string): string | null {
  const id = text.trim()
  return BOOT_ID.test(id) ? id : null
}

function parseUptime(text: string): number | null {
  const seconds = /^(\d{1,15})(\.\d+)? /.exec(text)?.[1]
  return seconds === undefined ? null : Number(seconds)
}
