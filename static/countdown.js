// @ts-check
// A time left as "9:05" or "1:09:05", for pages that count down. It stands before their own code, in the same script.
// biome-ignore lint/correctness/noUnusedVariables: the scripts behind it count with it
const countdown = (/** @type {number} */ seconds) => {
  const two = (/** @type {number} */ part) => String(Math.floor(part) % 60).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes}:${two(seconds)}` : `${Math.floor(minutes / 60)}:${two(minutes)}:${two(seconds)}`
}
