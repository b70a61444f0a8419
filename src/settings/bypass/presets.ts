/**
 * Bypass rules for products that many sites use: their webhooks, their clocks, and the files that search engines ask
 * for. Each rule names a path where the product itself checks what comes, by a signature, a token or a lock. No rule
 * goes by a cookie, because every visitor can send one. `check-config` shows what a preset expands to.
 *
 * WordPress obeys some parameters at any path: `rest_route` leads to its whole API, and `add-to-cart` fills a cart. So
 * the rules for WordPress have exceptions. Fields of a form it obeys, too, and no rule can see these.
 */
import { own } from '../../core/own.ts'
import type { BypassRule, Exception, Preset } from './rule.ts'

/** Webhooks are always sent by POST. A browser that comes back by GET has its session. */
const webhook = (path: string, ...not: readonly Exception[]): BypassRule => ({
  path,
  methods: ['POST'],
  ...(not.length > 0 ? { not: [...not] } : {}),
})
/** A file that a program makes. */
const file = (path: string): BypassRule => ({ path, methods: ['GET', 'HEAD'], without_query: true })

/** The clock of WordPress: called by the site itself and by crontabs, and held to once a minute by its own lock. */
const WP_CRON: BypassRule = { path: '/wp-cron.php', methods: ['GET', 'POST'] }
/** Sitemaps of WordPress itself, and those of plugins. */
const WP_SITEMAPS = [file('/wp-sitemap([\\w\\-]*).xml'), file('/([\\w\\-]+)-sitemap(\\d*).xml')]

const CART: Exception = { query: { name: 'add-to-cart' } }
const ROUTE: Exception = { query: { name: 'rest_route' } }
/** The types of content whose fields PHP reads. A webhook in JSON has neither of them. */
const FORMS: readonly Exception[] = ['application/x-www-form-urlencoded', 'multipart/form-data'].map(value => ({
  header: { name: 'Content-Type', value },
}))
/** Payment plugins take callbacks by a parameter. By convention its value begins like the name of a class. */
const WC_API = ['wc_', 'WC_', 'mollie_wc_gateway_'].map(
  (prefix): BypassRule => ({ ...webhook('/', CART), query: { name: 'wc-api', prefix } }),
)

const EXPANDED: Readonly<Record<Preset, readonly BypassRule[]>> = {
  wordpress: [WP_CRON, ...WP_SITEMAPS],
  woocommerce: [
    { ...WP_CRON, not: [CART] },
    ...WP_SITEMAPS,
    ...WC_API,
    webhook('/wc-api/*', CART, ROUTE, { query: { name: 'wc-api' } }),
    webhook('/wp-json/wc/v3/payments/webhook', CART, ROUTE, ...FORMS),
    webhook('/wp-json/paypal/v1/incoming', CART, ROUTE, ...FORMS),
    // The webhooks of Mollie are forms, so the rule must not exclude forms.
    webhook('/wp-json/mollie/v1/webhook', CART, ROUTE),
  ],
  magento: [
    webhook('/paypal/ipn{/}?'),
    webhook('/stripe/webhooks{/}?'),
    webhook('/adyen/webhook{/}?'),
    webhook('/adyen/process/json{/}?'),
    webhook('/mollie/checkout/webhook{/}?'),
  ],
  pretix: [
    webhook('/_stripe/webhook/'),
    webhook('/_paypal/webhook/'),
    // On the host of an event, on the host of an organizer, and on the host of all.
    webhook('/stripe/webhook/'),
    webhook('/:event/stripe/webhook/'),
    webhook('/:organizer/:event/stripe/webhook/'),
    // Devices at the doors of an event, and other programs. The API itself refuses a wrong token.
    { path: '/api/v1/*', header: { name: 'Authorization' } },
  ],
  'shopify-headless': ['/webhooks', '/webhooks/*', '/api/webhooks', '/api/webhooks/*', '/api/revalidate'].map(path => ({
    ...webhook(path),
    header: { name: 'X-Shopify-Hmac-Sha256' },
  })),
}

/**
 * Returns the rules that a rule stands for. Those of a preset are for a site below each of the paths. A newer room may
 * send a preset that this edge does not know: it lets nothing by.
 */
export function expandedRule(rule: BypassRule, below: readonly string[]): readonly BypassRule[] {
  const { preset } = rule
  if (preset === undefined) return [rule]
  const rules = own<readonly BypassRule[]>(EXPANDED, preset) ?? []
  return below.flatMap(path => rules.map(one => ({ ...one, path: `${asPattern(path)}${one.path}` })))
}

/** Returns a path as the beginning of a pattern. */
function asPattern(path: string): string {
  return path === '/' ? '' : path.replaceAll(/[:(){}+?*\\]/g, '\\$&')
}
