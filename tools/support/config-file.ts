/** Reads a configuration in the form of wrangler.toml. */
import { readFileSync } from 'node:fs'
import { parse, TomlError } from 'smol-toml'
import type { Variables } from '../../src/settings/deployment.ts'
import { SettingsError } from '../../src/settings/messages.ts'

/**
 * Returns the file's `[vars]`, unchecked. Throws SettingsError when the file is missing, or with the line that is not
 * TOML.
 */
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
