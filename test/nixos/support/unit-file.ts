import type { Service } from './nix.ts'

/** Where programs of packages are instead: there are no packages here. */
export type Programs = Readonly<Record<string, string>>

/** The file NixOS makes of a service, for systemd's own checks. */
export function unitFile(service: Service, programs: Programs = {}): string {
  const { description, after, wants, wantedBy, path, environment, unitConfig, serviceConfig, stopIfChanged } =
    service
  const variables = { ...environment, PATH: path.map((each) => `${each}/bin`).join(':') }
  return [
    '[Unit]',
    ...lines({ Description: description, After: after.join(' '), Wants: wants.join(' '), ...unitConfig }),
    '[Service]',
    ...Object.entries(variables).map(([name, value]) => `Environment=${JSON.stringify(`${name}=${value}`)}`),
    ...lines({ ...serviceConfig, ExecStart: replaceProgram(String(serviceConfig['ExecStart']), programs) }),
    // For switch-to-configuration, which stops a changed unit before activation unless this is there.
    ...(stopIfChanged ? [] : ['X-StopIfChanged=false']),
    '[Install]',
    ...lines({ WantedBy: wantedBy.join(' ') }),
    '',
  ].join('\n')
}

function lines(settings: Record<string, unknown>): string[] {
  return Object.entries(settings).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((each) => `${name}=${String(each)}`),
  )
}

function replaceProgram(command: string, programs: Programs): string {
  const [program = '', ...args] = command.split(' ')
  return [programs[program.split('/').at(-1) ?? ''] ?? program, ...args].join(' ')
}
