/** A clock that replaces `Date.now`, so that libraries without a time argument can be judged at exact times, too. */
const realNow = Date.now

export class Clock {
  nowMs = 0

  /** From now on `Date.now` returns this clock's time, until the clock is disposed of. */
  constructor() {
    Date.now = () => this.nowMs
  }

  [Symbol.dispose](): void {
    Date.now = realNow
  }
}
