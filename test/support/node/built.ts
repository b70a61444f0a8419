/** Builds the Worker once, before all test files. Two builds at a time would write the same files. */
import { build, isStale } from '../../../tools/support/build.ts'

export async function setup(): Promise<void> {
  if (isStale()) await build()
}
