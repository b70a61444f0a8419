/** Command lines: every tool prints its help, and a wrong flag or value is a clear error and exit code 2. */
import { parseArgs } from 'node:util'
import { nearest } from '../../src/settings/suggest/nearest.ts'

export interface Flag {
  /** The word after the flag in the help, such as `N` or `FILE`; absent for a switch. */
  readonly value?: string
  readonly help: string
  readonly default?: string
}

export type Flags = Readonly<Record<string, Flag>>

/** The value of each flag in the command. The value of a switch is 'true'. `_` has the positional arguments. */
export type Given = Readonly<Record<string, string | undefined>> & { readonly _: readonly string[] }

/** A mistake in the command as typed. */
export class UsageError extends Error {
  override name = 'UsageError'
}

function readFlags(flags: Flags, args: readonly string[], positionals: 'none' | 'some' = 'none'): Given {
  const options = Object.fromEntries(
    Object.entries({ ...flags, help: { help: '' } }).map(([name, flag]) => {
      const type = 'value' in flag && flag.value !== undefined ? ('string' as const) : ('boolean' as const)
      return [name, { type }]
    }),
  )
  let parsed: ReturnType<typeof parseArgs>
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: positionals === 'some', strict: true })
  } catch (error) {
    throw new UsageError(explained((error as Error).message, Object.keys(options)))
  }
  const defaults = Object.entries(flags).flatMap(([name, flag]) =>
    flag.default === undefined ? [] : [[name, flag.default]],
  )
  const given = Object.entries(parsed.values).map(([name, value]) => [name, String(value)])
  return { ...Object.fromEntries([...defaults, ...given]), _: parsed.positionals } as Given
}

function explained(message: string, known: readonly string[]): string {
  const [plain = message] = message.split('. To specify')
  const [, flag] = /^Unknown option '--([^'=]+)/.exec(plain) ?? []
  const meant = flag === undefined ? null : nearest(flag, known)
  return meant === null ? plain : `${plain}: did you mean --${meant}?`
}

/** Whether this is a built folder and not a checkout. The folder's launcher sets the variable. */
export function isFolder(): boolean {
  return process.env.ANTESALA_LAUNCHER !== undefined
}

/** How a tool is called: by npm in a checkout, by its launcher in a built folder. */
export function callOf(tool: string): string {
  return isFolder() ? `antesala ${tool}` : `npm run ${tool} --`
}

/** A tool: its arguments, and what it does. `main` resolves to the exit code. */
export interface Command {
  readonly usage: string
  readonly flags: Flags
  readonly main: (given: Given) => Promise<number>
  readonly positionals?: 'none' | 'some'
}

/** Runs a tool. Help, usage errors and failures end it with a clear message and the right exit code. */
export function run(
  usage: string,
  flags: Flags,
  main: (given: Given) => Promise<number>,
  positionals: 'none' | 'some' = 'none',
): Promise<void> {
  return runCommand({ usage, flags, main, positionals }, process.argv.slice(2))
}

export async function runCommand({ usage, flags, main, positionals }: Command, args: readonly string[]): Promise<void> {
  try {
    const given = readFlags(flags, args, positionals)
    if (given.help === 'true') {
      console.log(helpText(usage, flags))
      return
    }
    process.exitCode = await main(given)
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${helpText(usage, flags)}`)
      process.exitCode = 2
    } else {
      console.error(error instanceof Error ? error.message : error)
      process.exitCode = 1
    }
  }
}

/** A number in a range. The message names the flag, the value and the range. */
export function number(
  given: Given,
  name: string,
  low: number,
  high: number,
  kind: 'whole' | 'fractions' = 'whole',
): number {
  const text = given[name] ?? ''
  const value = Number(text)
  const ok =
    text.trim() !== '' &&
    Number.isFinite(value) &&
    value >= low &&
    value <= high &&
    (kind === 'fractions' || Number.isInteger(value))
  if (ok) return value
  const what = kind === 'whole' ? 'a whole number' : 'a number'
  throw new UsageError(
    `--${name} must be ${what}, ${low.toLocaleString('en')} to ${high.toLocaleString('en')}, got ${text || 'nothing'}`,
  )
}

/** An http or https address; null when the flag is not given. */
export function address(given: Given, name: string): string | null {
  const text = given[name]
  if (text === undefined) return null
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw new UsageError(`--${name} must be an address like http://localhost:8787/, got ${text}`)
}

function helpText(usage: string, flags: Flags): string {
  const lines = Object.entries(flags).map(([name, flag]) => {
    const left = `  --${name}${flag.value ? ` ${flag.value}` : ''}`
    return `${left.padEnd(25)} ${flag.help}${flag.default === undefined ? '' : ` (${flag.default})`}`
  })
  return [usage, '', ...lines, `${'  --help'.padEnd(26)}this text`].join('\n')
}
