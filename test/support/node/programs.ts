/** The commands of the programs that tests need. A test that calls one has the program's name as a tag: without it the test is skipped. */
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

/** The command of a program. Where the program is missing it is its name, which nobody runs. */
export function command(name: ProgramName): string {
  return inject('programs')[name] ?? name
}
