/**
 * The cost of a run on Cloudflare, by the prices of docs/costs.md. The monthly amounts that the plan includes are not
 * deducted.
 */

/** US dollars, as published in August 2026 for the paid plan. */
const USD_PER_MILLION = {
  workerRequests: 0.3,
  workerCpuMs: 0.02,
  objectRequests: 0.15,
  objectGigabyteSeconds: 12.5,
  rowsRead: 0.001,
  rowsWritten: 1,
} as const

/** An active object is billed for its whole memory. */
const OBJECT_GIGABYTES = 0.128
/** An assumption: a request verifies one token and renders little. */
const CPU_MS_PER_REQUEST = 1

/** The amount used of everything that has a price. */
export interface Usage {
  /** Polls, claims and page views. The pictures and scripts of a site are not included. */
  readonly workerRequests: number
  readonly objectRequests: number
  /** The sum over all objects. */
  readonly objectSeconds: number
  readonly rowsRead: number
  readonly rowsWritten: number
}

export function costUsd(usage: Usage): number {
  const { workerRequests, objectRequests, objectSeconds, rowsRead, rowsWritten } = usage
  const used: Record<keyof typeof USD_PER_MILLION, number> = {
    workerRequests,
    workerCpuMs: workerRequests * CPU_MS_PER_REQUEST,
    objectRequests,
    objectGigabyteSeconds: objectSeconds * OBJECT_GIGABYTES,
    rowsRead,
    rowsWritten,
  }
  return Object.entries(used).reduce(
    (sum, [name, amount]) => sum + (amount * USD_PER_MILLION[name as keyof typeof USD_PER_MILLION]) / 1_000_000,
    0,
  )
}
