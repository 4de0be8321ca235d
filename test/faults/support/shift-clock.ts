/**
 * Preloaded into an agent (`node --import`): its clock is wrong by CLOCK_SHIFT_MS, until SIGUSR2 puts it right while it
 * runs, as a time service does at its first answer.
 */
const RightDate = Date
let shiftMs = Number(process.env['CLOCK_SHIFT_MS'])
process.on('SIGUSR2', () => {
  shiftMs = 0
})

const now = (): number => RightDate.now() + shiftMs

globalThis.Date = new Proxy(RightDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
})
