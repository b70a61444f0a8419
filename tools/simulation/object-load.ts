/** How much the objects of a run have to do: the busiest second of each, and what edges download. */

export class ObjectLoad {
  /** The most calls and syncs of edges at one door in a second. */
  doorMax = 0
  /** The most reports of doors to the room in a second. */
  roomMax = 0
  /** The size of the largest snapshot as JSON, which each edge gets at most once a second. */
  snapshotBytesMax = 0
  /** The most doors that newcomers went to. */
  doorsMax = 0
  #doors: readonly number[] = []
  #room = 0

  /** Notes the totals at the end of a second. */
  note(now: { calls: readonly number[]; syncs: number; snapshot: object | null; doors: number }): void {
    now.calls.forEach((total, i) => {
      this.doorMax = Math.max(this.doorMax, total - (this.#doors[i] ?? 0))
    })
    this.#doors = now.calls
    this.roomMax = Math.max(this.roomMax, now.syncs - this.#room)
    this.#room = now.syncs
    this.doorsMax = Math.max(this.doorsMax, now.doors)
    if (now.snapshot) this.snapshotBytesMax = Math.max(this.snapshotBytesMax, JSON.stringify(now.snapshot).length)
  }
}
