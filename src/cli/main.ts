#!/usr/bin/env node
import { createProgram } from './program.ts'
import { runCommand } from './run.ts'

const args = process.argv.slice(2)
// `help NAME` and `NAME …` need that one command
const wanted = args[0] === 'help' ? args[1] : args[0]
const program = await createProgram((name) => name === wanted)
process.exitCode = await runCommand(program, args)
