/**
 * The real waits of people in line, as opposed to the waits they were shown. They are computed from the length of the
 * line when people came, and from how fast it was called after that.
 *
 * People count as if they had come evenly over their step and stood in the order of their arrival. So a wait is exact
 * to about one step. In a room that draws places by lot, only the mean is right.
 */
import type { HistoryStep } from './history.ts'

/** The people of a step are divided into this many groups, one after another. */
const GROUPS = 5

export interface Waits {
  /** The number of people who came in this time and were called in it. */
  readonly people: number
  readonly medianMs: number
  readonly p95Ms: number
}

/** People who came together, and how long they waited. */
interface Group {
  readonly people: number
  readonly waitMs: number
}

/** Returns the waits of all people who came and were called within these steps, or null if there are none. */
export function waitsIn(steps: readonly HistoryStep[], stepMs: number): Waits | null {
  const groups = steps.flatMap((step, index): Group[] => {
    if (step.confirmed === 0) return []
    const parts = Array.from({ length: GROUPS }, (_, nth) => waitOf(steps, index, (nth + 0.5) / GROUPS, stepMs))
    return parts.flatMap(waitMs => (waitMs === null ? [] : [{ people: step.confirmed / GROUPS, waitMs }]))
  })
  if (groups.length === 0) return null
  groups.sort((a, b) => a.waitMs - b.waitMs)
  const people = groups.reduce((sum, group) => sum + group.people, 0)
  return { people: Math.round(people), medianMs: quantile(groups, people / 2), p95Ms: quantile(groups, people * 0.95) }
}

/**
 * Returns how long people waited who came at this part of the step, 0 to 1: the time until everyone ahead was called.
 * Returns null if some people ahead were never called.
 */
function waitOf(steps: readonly HistoryStep[], index: number, part: number, stepMs: number): number | null {
  const step = steps[index] as HistoryStep
  const before = steps[index - 1]
  // If the step just before this one is missing, no line stood when this step began.
  const waitingBefore = before && before.atMs + stepMs === step.atMs ? before.waiting : 0
  let ahead = waitingBefore + part * (step.waiting - waitingBefore)
  const cameAtMs = step.atMs + part * stepMs
  for (const [nth, later] of steps.slice(index).entries()) {
    const rest = nth === 0 ? 1 - part : 1
    const called = rest * later.called
    if (called >= ahead) {
      const share = called === 0 ? 0 : ahead / called
      return Math.round(later.atMs + stepMs - rest * stepMs * (1 - share) - cameAtMs)
    }
    ahead -= called
  }
  return null
}

function quantile(groups: readonly Group[], rank: number): number {
  let people = 0
  for (const group of groups) {
    people += group.people
    if (people >= rank) return group.waitMs
  }
  return groups.at(-1)?.waitMs ?? 0
}
