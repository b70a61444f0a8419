/** A Vitest reporter for `npm test`: it reports whether the run goes on, when it is over, and what was skipped. */
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node'
import { PROGRAMS, type ProgramName } from './programs.ts'

/** Tests that were skipped because a program is missing, by the program. */
export type Skipped = Readonly<Partial<Record<ProgramName, readonly string[]>>>

export type Report =
  /** A test or a file began or ended. `running` are the files whose tests have begun. */
  | { readonly kind: 'progress'; readonly running: readonly string[] }
  /** Every test has its result. */
  | { readonly kind: 'over'; readonly skipped: Skipped }

export default class TestReport implements Reporter {
  readonly #running = new Set<string>()
  #vitest: Vitest | null = null

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
    // If `npm test` is gone, this process must end the other processes of the run, because it leads their group.
    process.once('disconnect', endAll)
    // Listening must not keep this process alive.
    process.channel?.unref()
  }

  onTestModuleStart(module: TestModule): void {
    this.#running.add(module.relativeModuleId)
    this.#tell()
  }

  onTestCaseResult(): void {
    this.#tell()
  }

  onTestModuleEnd(module: TestModule): void {
    this.#running.delete(module.relativeModuleId)
    this.#tell()
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const missing = (this.#vitest?.config.tags ?? []).filter(({ skip }) => skip).map(({ name }) => name as ProgramName)
    const skipped: Partial<Record<ProgramName, string[]>> = {}
    for (const test of modules.flatMap(module => [...module.children.allTests('skipped')])) {
      const name = missing.find(program => test.tags.includes(program))
      if (name === undefined || !(name in PROGRAMS)) continue
      skipped[name] = [...(skipped[name] ?? []), nameOf(test)]
    }
    send({ kind: 'over', skipped })
  }

  #tell(): void {
    send({ kind: 'progress', running: [...this.#running] })
  }
}

const nameOf = (test: TestCase) => `${test.module.relativeModuleId} > ${test.fullName}`

function send(report: Report): void {
  if (process.connected) process.send?.(report)
}

/** Gives workers time to end the processes that they have started. */
function endAll(): void {
  process.once('SIGTERM', () => setTimeout(() => process.kill(-process.pid, 'SIGKILL'), 1_000))
  process.kill(-process.pid, 'SIGTERM')
}
