export interface CpuInfo {
  brand: string | null
  /** Null where the kernel does not name cores here (ARM). */
  cores: number | null
  threads: number
  microcode: string | null
}

/**
 * /proc/cpuinfo: one block of `name<tab>: value` lines for each online thread. On x86 `physical id` and `core id`
 * together tell cores apart: `core id` alone repeats in every socket.
 */
export function parseCpuInfo(text: string): CpuInfo {
  const processors = text
    .split(/\n\s*\n/)
    .map(parseBlock)
    .filter((block) => block.has('processor'))
  if (processors.length === 0) throw new Error('/proc/cpuinfo names no processor')
  const cores = new Set(processors.map(coreOf))
  return {
    brand: first(processors, 'model name'),
    cores: cores.has(null) ? null : cores.size,
    threads: processors.length,
    microcode: first(processors, 'microcode'),
  }
}

function parseBlock(block: string): Map<string, string> {
  const lines = block.split('\n').map((line) => /^([^\t:]+?)\s*:\s*(.*)$/.exec(line))
  return new Map(lines.flatMap((match) => (match === null ? [] : [[match[1] ?? '', match[2] ?? '']])))
}

function coreOf(processor: Map<string, string>): string | null {
  const core = processor.get('core id')
  return core === undefined ? null : `${processor.get('physical id') ?? 0}:${core}`
}

function first(processors: Map<string, string>[], name: string): string | null {
  return processors.find((processor) => processor.has(name))?.get(name) ?? null
}
