/**
 * The commands of the programs that tests need. A test that calls one has the program's name as a tag, and is skipped
 * where the program is missing.
 */
import { inject } from 'vitest'
import type { Found, ProgramName } from '../../../tools/testing/programs.ts'

declare module 'vitest' {
  interface ProvidedContext {
    programs: Found
  }
  interface TestTags {
    programs: ProgramName
  }
}

/** Returns the command of a program. For a missing program it is the name, which no test runs. */
export function command(name: ProgramName): string {
  return inject('programs')[name] ?? name
}
