#!/usr/bin/env node
import { VERSION } from '../lib/version.ts'
import { createKeygenCommand } from './keygen.ts'
import { runCommand } from './run.ts'

const program = createKeygenCommand().name('cf-keygen').version(VERSION)
process.exitCode = await runCommand(program, process.argv.slice(2))
