/** The shop's stylesheet and drawings, generated once. */
import { PRODUCTS, type Product } from './goods.ts'

interface Asset {
  readonly type: string
  readonly body: string
}

/** Where a drawing's profile begins, and the distance between its points. */
const TOP = 52
const STEP = 30

export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ['/assets/shop.css', { type: 'text/css; charset=utf-8', body: stylesheet() }],
  ['/assets/mark.svg', { type: 'image/svg+xml', body: mark() }],
  ...PRODUCTS.map(
    product => [pictureOf(product), { type: 'image/svg+xml', body: drawing(product) }] as [string, Asset],
  ),
])

export function pictureOf(product: Product): string {
  return `/assets/product-${product.id}.svg`
}

/** A piece of pottery: its profile mirrored, a rim above, a shadow below. */
function drawing({ profile, hue, name }: Product): string {
  const rim = profile[0] ?? 20
  const foot = profile.at(-1) ?? 20
  const outline = `M${100 + rim} ${TOP}${curve(profile, 1)}L${100 - foot} ${TOP + STEP * (profile.length - 1)}${curve(profile, -1)}Z`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" role="img" aria-label="${name}">
<defs><linearGradient id="g" x2="1"><stop stop-color="hsl(${hue} 28% 70%)"/><stop offset="1" stop-color="hsl(${hue} 30% 48%)"/></linearGradient></defs>
<rect width="200" height="200" fill="hsl(${hue} 24% 93%)"/>
<ellipse cx="100" cy="173" rx="${foot + 16}" ry="7" fill="hsl(${hue} 20% 30% / .18)"/>
<path d="${outline}" fill="url(#g)" stroke="url(#g)" stroke-width="6" stroke-linejoin="round"/>
<ellipse cx="100" cy="${TOP}" rx="${rim}" ry="${Math.max(3, rim / 8)}" fill="hsl(${hue} 28% 34%)"/>
</svg>
`
}

/** A smooth line through the half widths (Catmull-Rom): down the right side, or up the left one. */
function curve(profile: readonly number[], side: 1 | -1): string {
  const x = (i: number) => profile[Math.max(0, Math.min(profile.length - 1, i))] ?? 0
  const at = (half: number, row: number) => `${(100 + side * half).toFixed(1)} ${(TOP + STEP * row).toFixed(1)}`
  const rows = profile.slice(1).map((_, i) => (side === 1 ? i : profile.length - 1 - i))
  return rows
    .map(i => {
      const to = i + side
      const bend = (row: number) => (side * (x(row + 1) - x(row - 1))) / 6
      return `C${at(x(i) + bend(i), i + side / 3)} ${at(x(to) - bend(to), to - side / 3)} ${at(x(to), to)}`
    })
    .join('')
}

function mark(): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M7 8h18c0 8-2 15-9 17C9 23 7 16 7 8z" fill="#a6532f"/></svg>
`
}

function stylesheet(): string {
  return `:root { color-scheme: light dark; --paper: #fbfaf7; --card: #fff; --ink: #26221d; --soft: #6d665c; --line: #e4dfd6; --clay: #9a4a28 }
@media (prefers-color-scheme: dark) { :root { --paper: #1a1816; --card: #23201d; --ink: #eee9e1; --soft: #a79f93; --line: #38332d; --clay: #e39a76 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
a { color: inherit }
header, main, footer { max-width: 60rem; margin: 0 auto; padding: 1rem 1.25rem }
header { display: flex; align-items: center; gap: .6rem; border-bottom: 1px solid var(--line) }
header a { text-decoration: none }
header .name { font-weight: 600; margin-right: auto }
header img { display: block }
footer { color: var(--soft); font-size: .875rem; border-top: 1px solid var(--line); margin-top: 3rem }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 1rem 0 .5rem; font-weight: 600 }
.lead { color: var(--soft); margin: 0 0 1.5rem; max-width: 40rem }
.goods { list-style: none; margin: 0; padding: 0; display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)) }
.goods a { display: block; text-decoration: none; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; overflow: hidden }
.goods a:hover { border-color: var(--clay) }
.goods img, .product img { display: block; width: 100%; height: auto; aspect-ratio: 1 }
.goods .label { display: flex; justify-content: space-between; padding: .6rem .8rem }
.product { display: grid; gap: 2rem; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); align-items: start }
.product img { border-radius: .6rem }
.price { color: var(--soft) }
table { border-collapse: collapse; width: 100%; max-width: 34rem }
td, th { text-align: left; padding: .5rem 0; border-bottom: 1px solid var(--line) }
td:last-child, th:last-child { text-align: right }
label { display: block; margin: 1rem 0 .25rem }
input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .6rem; width: 100%; max-width: 22rem }
input[type=number] { width: 5rem }
button, .button { display: inline-block; margin-top: 1rem; font: inherit; text-decoration: none; color: var(--paper); background: var(--clay); border: 0; border-radius: .4rem; padding: .6rem 1.1rem; cursor: pointer }
:focus-visible { outline: 2px solid var(--clay); outline-offset: 2px }
`
}
