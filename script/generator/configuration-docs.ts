import { describeConfiguration } from '../../src/lib/config/describe.ts'

// Prints docs/configuration.md.
process.stdout.write(describeConfiguration())
