/** Reads a configuration in the form of wrangler.toml. */
import { readFileSync } from 'node:fs'
import { parse, TomlError } from 'smol-toml'
import type { Variables } from '../../src/settings/deployment.ts'
import { SettingsError } from '../../src/settings/messages.ts'

/** Its `[vars]`, unchecked. Throws SettingsError with the line of what is not TOML, and when there is no such file. */
export function varsOf(file: string): Variables & Readonly<Record<string, unknown>> {
  try {
    return (parse(readFileSync(file, 'utf8')).vars ?? {}) as Variables & Readonly<Record<string, unknown>>
  } catch (error) {
    if (error instanceof TomlError) {
      throw new SettingsError([{ path: `line ${error.line}`, message: error.message.split('\n')[0] ?? 'is not TOML' }])
    }
    throw new SettingsError([{ path: file, message: `cannot be read: ${(error as Error).message}` }])
  }
}
