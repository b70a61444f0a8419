/** A visitor inside: it looks around, puts things in the cart, sometimes pays, and leaves in the end. */
import type { Answer } from './connections.ts'
import { between, judge, type Site, type Visitor } from './line.ts'

type Page = Answer & { readonly url: URL }

/** A browser loads all assets. A few are enough to load the site like a visitor, without testing its asset server. */
const ASSETS_MAX = 4
/** Probability that a visitor with something in the cart goes to the checkout next. */
const CHECKS_OUT = 0.4
const BUYS = 0.35
const GOES_HOME = 0.15
/** A visitor who wants to pay keeps trying for this long, even after the end of the stay. */
const PAYS_WITHIN_MS = 120_000

interface Basket {
  things: number
  /** Since when an order is being placed; null when none is. */
  payingSinceMs: number | null
  /** For how long this visitor was blocked. The stay becomes longer by this time. */
  blockedMs: number
}

/** Browses until the stay or the run is over ('left'), or until the room shows its waiting page again ('sent back'). */
export async function browse(
  site: Site,
  visitor: Visitor,
  entered: Page,
  untilMs: number,
): Promise<'left' | 'sent back'> {
  const { clock } = site
  const basket: Basket = { things: 0, payingSinceMs: null, blockedMs: 0 }
  const loaded = new Set<string>()
  let page = entered
  for (;;) {
    await loadAssets(site, visitor, page, loaded)
    const thinkMs = between({ low: site.thinkMs / 3, high: (site.thinkMs * 5) / 3 })
    const leavesMs =
      (basket.payingSinceMs === null ? untilMs : basket.payingSinceMs + PAYS_WITHIN_MS) + basket.blockedMs
    await clock.sleep(Math.min(thinkMs, Math.max(0, leavesMs - clock.nowMs())))
    if (clock.isOver) return 'left'
    if (clock.nowMs() >= leavesMs && basket.payingSinceMs !== null) site.tally.ordersLost++
    if (clock.nowMs() >= leavesMs) return 'left'
    const next = await step(site, visitor, page, basket)
    if (clock.isOver) return 'left'
    if (next === 'sent back') return next
    if (next) page = next
  }
}

/** One click. Returns null when no page of the site came: the visitor stays on the present page. */
async function step(site: Site, visitor: Visitor, page: Page, basket: Basket): Promise<Page | 'sent back' | null> {
  const { browser, record } = visitor
  const { url, form } = nextClick(site, page, basket)
  if (form && url.pathname === '/checkout' && basket.payingSinceMs === null) {
    basket.payingSinceMs = site.clock.nowMs()
    site.tally.ordersBegun++
  }
  const loaded = await browser.page(url, form)
  const verdict = judge(site, record, loaded, form ? `POST ${url.pathname}` : url.pathname)
  if (verdict.kind === 'waiting') return 'sent back'
  if (verdict.kind === 'blocked') basket.blockedMs += verdict.retryAfterMs
  if (verdict.kind === 'blocked' || verdict.kind === 'refused') await site.clock.sleep(verdict.retryAfterMs)
  if (verdict.kind !== 'origin') return null
  if (verdict.page.status >= 400) return null
  if (form && url.pathname === '/cart') basket.things++
  if (/\bdata-order="/.test(verdict.page.body)) {
    basket.things = 0
    basket.payingSinceMs = null
    site.tally.ordersPlaced++
  }
  return verdict.page
}

function nextClick(site: Site, page: Page, basket: Basket): { url: URL; form?: Record<string, string> } {
  const home = { url: site.url }
  if (site.isMarked) {
    const at = (path: string) => new URL(path, site.url)
    if (page.url.pathname === '/checkout' && basket.things > 0) {
      return { url: at('/checkout'), form: { name: 'A visitor', street: 'Main street 1' } }
    }
    if (basket.things > 0 && Math.random() < CHECKS_OUT) return { url: at('/checkout') }
    const product = page.body.match(/name="product" value="(\d+)"/)?.[1]
    if (product && Math.random() < BUYS) return { url: at('/cart'), form: { product, quantity: '1' } }
  }
  const links = linksOf(page)
  const link = links[Math.floor(Math.random() * links.length)]
  return link && Math.random() > GOES_HOME ? { url: link } : home
}

async function loadAssets({ clock, tally }: Site, { browser }: Visitor, page: Page, loaded: Set<string>) {
  const assets = assetsOf(page).filter(({ url }) => !loaded.has(url.href))
  const wanted = assets.slice(0, Math.max(0, ASSETS_MAX - loaded.size))
  for (const { url } of wanted) loaded.add(url.href)
  await Promise.all(
    wanted.map(async ({ url, isStyle }) => {
      const answer = await browser.asset(url, isStyle)
      if (!clock.isOver) tally.part(answer)
    }),
  )
}

/** Links of a page within its site, each once. */
export function linksOf({ body, url }: Pick<Page, 'body' | 'url'>): URL[] {
  return within(
    url,
    [...body.matchAll(/<a\b[^>]*\bhref="([^"#]+)"/gi)].map(match => match[1]),
  )
}

export function assetsOf({ body, url }: Pick<Page, 'body' | 'url'>): { url: URL; isStyle: boolean }[] {
  const styles = [...body.matchAll(/<link\b[^>]*\brel="stylesheet"[^>]*\bhref="([^"]+)"/gi)].map(match => match[1])
  const pictures = [...body.matchAll(/<img\b[^>]*\bsrc="([^"]+)"/gi)].map(match => match[1])
  return [
    ...within(url, styles).map(style => ({ url: style, isStyle: true })),
    ...within(url, pictures).map(picture => ({ url: picture, isStyle: false })),
  ]
}

function within(base: URL, hrefs: readonly (string | undefined)[]): URL[] {
  const unique = new Map<string, URL>()
  for (const href of hrefs) {
    const url = href === undefined ? null : URL.parse(href, base.href)
    if (url?.origin === base.origin) unique.set(url.href, url)
  }
  return [...unique.values()]
}
