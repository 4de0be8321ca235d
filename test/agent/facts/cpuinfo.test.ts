import { describe, expect, test } from 'vitest'
import { parseCpuInfo } from '../../../src/agent/facts/cpuinfo.ts'
import { parseMemTotal } from '../../../src/agent/facts/meminfo.ts'

const x86 = (threads: [number, number][]) =>
  threads
    .map(([socket, core], index) =>
      [
        `processor\t: ${index}`,
        'model name\t: AMD Ryzen 7 5800X 8-Core Processor',
        'microcode\t: 0xa20120e',
        `cpu MHz\t\t: ${2000 + index}.000`,
        `physical id\t: ${socket}`,
        `core id\t\t: ${core}`,
        'power management: ts ttp tm',
        '',
      ].join('\n'),
    )
    .join('\n')

describe('parseCpuInfo', () => {
  test('two threads on one core are one core', () => {
    expect(
      parseCpuInfo(
        x86([
          [0, 0],
          [0, 1],
          [0, 0],
          [0, 1],
        ]),
      ),
    ).toEqual({
      brand: 'AMD Ryzen 7 5800X 8-Core Processor',
      cores: 2,
      threads: 4,
      microcode: '0xa20120e',
    })
  })

  test('the same core id in two sockets is two cores', () => {
    expect(
      parseCpuInfo(
        x86([
          [0, 0],
          [1, 0],
        ]),
      ),
    ).toMatchObject({ cores: 2, threads: 2 })
  })

  test('cores are unknown where the kernel does not number them', () => {
    const arm =
      'processor\t: 0\nCPU part\t: 0xd08\n\nprocessor\t: 1\nCPU part\t: 0xd08\n\nModel\t\t: Raspberry Pi 4\n'
    expect(parseCpuInfo(arm)).toEqual({ brand: null, cores: null, threads: 2, microcode: null })
  })

  test('a file without processors is an error', () => {
    expect(() => parseCpuInfo('')).toThrow('names no processor')
  })
})

describe('parseMemTotal', () => {
  test('kB are KiB', () => {
    expect(parseMemTotal('MemTotal:       16077700 kB\nMemFree:         2401876 kB\n')).toBe(16_463_564_800)
  })

  test('a file without a total is an error', () => {
    expect(() => parseMemTotal('SwapTotal: 5 kB\n')).toThrow('no MemTotal')
  })
})
