/** Calls between isolates and objects. They are late, are lost either way, or arrive twice, as the scenario demands. */
import type { Agenda } from './agenda.ts'
import type { Random } from './random.ts'
import type { Scenario } from './scenario.ts'

/** A caller gives up on an unanswered call after this. */
const TIMEOUT_MS = 2_000

export class Network {
  readonly #scenario: Scenario
  readonly #agenda: Agenda
  readonly #random: Random
  /** Where nothing fails every call is answered in time, so no timeout is needed. */
  readonly #canFail: boolean

  constructor(scenario: Scenario, agenda: Agenda, random: Random) {
    this.#scenario = scenario
    this.#agenda = agenda
    this.#random = random
    this.#canFail = scenario.loss > 0 || scenario.evictions > 0
  }

  /** Calls `done` at most once: with the first answer, or with null when none came in time. */
  call<Reply>(serve: (reply: (answer: Reply) => void) => void, done: (answer: Reply | null) => void): void {
    const { loss, duplicate } = this.#scenario
    const agenda = this.#agenda
    const random = this.#random
    let open = true
    const finish = (answer: Reply | null) => {
      if (!open) return
      open = false
      done(answer)
    }
    const answered = (answer: Reply) => {
      if (!random.chance(loss)) agenda.at(agenda.nowMs + this.#delayMs(), () => finish(answer))
    }
    for (let copies = random.chance(duplicate) ? 2 : 1; copies > 0; copies--) {
      if (!random.chance(loss)) agenda.at(agenda.nowMs + this.#delayMs(), () => serve(answered))
    }
    if (this.#canFail) agenda.at(agenda.nowMs + TIMEOUT_MS, () => finish(null))
  }

  #delayMs(): number {
    return this.#random.chance(this.#scenario.loss) ? this.#random.between(1_000, 8_000) : this.#random.between(5, 60)
  }
}
