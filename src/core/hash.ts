/**
 * FNV-1a, 32 bits. It spreads names evenly, and different texts rarely get the same number. Never use it where an
 * attacker could gain from such a collision.
 */
export function fnv1a(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** Returns a number that is uniform in [0, 1). A session has the same number at every edge. */
export function lotOf(sid: string): number {
  const hash = fnv1a(sid)
  return (Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0) / 0x1_0000_0000
}
