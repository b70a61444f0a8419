// @ts-check
// The difference between two values, line by line. This file does not touch the page.

/** `mark` is the sign of a line that was removed or added. @typedef {{ mark: ' ' | '-' | '+', text: string }} Line */

/**
 * If there are more pairs of lines than this, a comparison would stop the page for a moment. Then all lines are shown
 * as replaced.
 */
const PAIRS_MAX = 1_000_000

/** @param {unknown} before @param {unknown} after @returns {Line[]} */
export function difference(before, after) {
  const [from, to] = [linesOf(before), linesOf(after)]
  let start = 0
  while (start < from.length && start < to.length && from[start] === to[start]) start++
  let end = 0
  while (end < from.length - start && end < to.length - start && from.at(-1 - end) === to.at(-1 - end)) end++
  const middle = between(from.slice(start, from.length - end), to.slice(start, to.length - end))
  const same = (/** @type {string[]} */ lines) => lines.map(text => marked(' ', text))
  return [...same(from.slice(0, start)), ...middle, ...same(from.slice(from.length - end))]
}

/**
 * Returns the lines that differ, each with `around` unchanged lines before and after it.
 * @param {Line[]} lines @param {number}
 * [around]
 */
export function shortened(lines, around = 2) {
  const isNear = lines.map((_, at) =>
    lines.slice(Math.max(0, at - around), at + around + 1).some(({ mark }) => mark !== ' '),
  )
  return lines.flatMap((line, at) => {
    if (isNear[at]) return [line]
    return isNear[at - 1] || at === 0 ? [marked(' ', '...')] : []
  })
}

/** @param {unknown} value */
function linesOf(value) {
  if (value === undefined) return []
  return (typeof value === 'string' && value.includes('\n') ? value : JSON.stringify(value, null, 2)).split('\n')
}

/** @param {Line['mark']} mark @param {string} text @returns {Line} */
function marked(mark, text) {
  return { mark, text }
}

/** @param {string[]} from @param {string[]} to @returns {Line[]} */
function between(from, to) {
  const gone = from.map(text => marked('-', text))
  const come = to.map(text => marked('+', text))
  if (from.length * to.length > PAIRS_MAX) return [...gone, ...come]
  const common = longestCommon(from, to)
  /** @type {Line[]} */
  const lines = []
  let [i, j] = [0, 0]
  while (i < from.length && j < to.length) {
    if (from[i] === to[j]) {
      lines.push(marked(' ', from[i++] ?? ''))
      j++
    } else if ((common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0)) lines.push(...gone.slice(i, ++i))
    else lines.push(...come.slice(j, ++j))
  }
  return [...lines, ...gone.slice(i), ...come.slice(j)]
}

/**
 * Returns, for each pair of positions, the length of the longest common part from there on.
 * @param {string[]} from
 * @param {string[]} to
 */
function longestCommon(from, to) {
  const lengths = Array.from({ length: from.length + 1 }, () => new Uint32Array(to.length + 1))
  for (let i = from.length - 1; i >= 0; i--) {
    const [row, below] = [/** @type {Uint32Array} */ (lengths[i]), /** @type {Uint32Array} */ (lengths[i + 1])]
    for (let j = to.length - 1; j >= 0; j--)
      row[j] = from[i] === to[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0)
  }
  return lengths
}
