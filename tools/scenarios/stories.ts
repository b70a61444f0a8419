/** The six incidents, as small and as short as one machine can play them. */
import type { Promised, RoomFile, Scenario } from './scenario.ts'

/**
 * A visitor of the shop loads a page every three seconds on average. So 40 pages a second are enough for about 110
 * visitors.
 */
const SHOP = { capacity: 40, stayMs: 40_000, thinkMs: 3_000 }
const STEADY_MS = 20_000
/**
 * Three times as long as a page takes in a healthy site: 100 ms in the shop, 120 ms in the news site, 125 ms in the
 * small one.
 */
const TARGET_MS = 300
const NEWS_TARGET_MS = 360
const BLOG_TARGET_MS = 375
/** Minutes of a day become seconds of a run, so the time limits of the health controller are shortened alike. */
const HEALTH = { target_ms: TARGET_MS, cooldown: 0.4, ramp: 0.3, open: 0.1, min_active_users: 5 }

/**
 * In each story the operator allows half as many again as the origin can serve. The room must find out the limit
 * itself.
 */
function room(more: Record<string, unknown> = {}): RoomFile {
  return {
    name: 'shop',
    host: '*',
    total_active_users: 220,
    new_users_per_minute: 300,
    session_duration: 0.25,
    protected_paths: ['/checkout'],
    protected_duration: 0.5,
    bypass: [{ path: '/stats' }],
    health: HEALTH,
    ...more,
  }
}

/** Each visitor has an own address, but the first `office` visitors share the address of their office. */
const addresses = (office: number) => (n: number) =>
  n < office ? '198.51.100.7' : `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`

const keepsOrders: Promised = {
  words: 'every order that was in checkout is completed, but for those being placed when the run ends',
  isKept: room =>
    room.ordersLost === 0 && room.ordersBegun - room.ordersCompleted <= Math.max(2, 0.05 * room.ordersBegun),
}
const fewFail: Promised = {
  words: 'hardly a page fails later than 20 s after the first: at most 1 %',
  isKept: room => room.pagesFailedLate <= 0.01 * room.pages,
}
const staysWell: Promised = {
  words: 'and stays so: of the rest of the run no more than a twentieth is slow or fails',
  isKept: room => room.relapsedShare !== null && room.relapsedShare <= 0.05,
}
const isUsed: Promised = {
  words: 'at least 65 % of what the origin can do is used',
  isKept: room => room.usedShare >= 0.65,
}
const recovers = (seconds: number): Promised => ({
  words: `the origin is healthy within ${seconds} s`,
  isKept: room => room.healthyAfterSeconds !== null && room.healthyAfterSeconds <= seconds,
})
const fewerFail: Promised = {
  words: 'fewer pages fail than without the room',
  isKept: (room, without) => room.pagesFailed < without.pagesFailed,
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'black-friday',
    story:
      'A shop at ten times its usual peak, 30,000 people at once. Autoscaling on CPU came too late, and an office behind one address was blocked as if it were an attack.',
    scale: '1,500 visitors instead of 30,000, 15 of 300 behind one address, eight minutes instead of an hour',
    seconds: 480,
    capacity: SHOP.capacity,
    crowd: {
      visitors: 1_500,
      // A tenth arrives at the usual rate, all others within twenty seconds.
      arrivalMs: n => (n % 10 === 0 ? Math.random() * 60_000 : 5_000 + Math.random() * 20_000),
      stayMs: SHOP.stayMs,
      thinkMs: SHOP.thinkMs,
      addressOf: addresses(15),
    },
    rooms: [room()],
    acts: [],
    troubleSeconds: 5,
    targetMs: TARGET_MS,
    promises: [recovers(60), staysWell, fewFail, keepsOrders, isUsed, fewerFail],
  },
  {
    name: 'payment-outage',
    story:
      'The payment provider did not answer for hours. The shop was up and the carts were full, until every connection of the shop was waiting for a payment.',
    scale: 'a third of four minutes instead of hours',
    seconds: 240,
    capacity: SHOP.capacity,
    crowd: { visitors: 220, arriveMs: 180_000, stayMs: SHOP.stayMs, thinkMs: 2_000 },
    rooms: [
      room({
        upstreams: [
          {
            name: 'payment',
            paths: ['/checkout'],
            methods: ['POST'],
            timeout: 3,
            // An order takes three times as long as a page.
            target_ms: 3 * TARGET_MS,
            // Each trial request holds a connection of the shop for a minute.
            breaker: { open: 0.5 },
            fallback: { answer: 'page', message: 'Payments are interrupted. Your cart is kept.' },
          },
        ],
      }),
    ],
    acts: [
      { atSeconds: 30, words: 'the payment provider hangs', breaks: { payment: 'hangs' } },
      { atSeconds: 110, words: 'the payment provider answers again', breaks: { payment: 'works' } },
    ],
    troubleSeconds: 30,
    targetMs: TARGET_MS,
    promises: [
      keepsOrders,
      {
        words: 'the rest of the shop works on: no more than 1 % of other pages fail',
        isKept: room => room.pagesFailedElsewhere <= 0.01 * room.pages,
      },
      fewerFail,
    ],
  },
  {
    name: 'viral-story',
    story: 'A news site, one story that all readers share. The server fell, and the bill doubled.',
    scale: '1,500 readers in half a minute, who take twelve minutes instead of a day, a server of 25 pages a second',
    seconds: 720,
    capacity: 25,
    crowd: { visitors: 1_500, arriveMs: 30_000, stayMs: 40_000, thinkMs: 4_000 },
    rooms: [
      room({
        total_active_users: 210,
        new_users_per_minute: 400,
        protected_paths: [],
        health: { ...HEALTH, target_ms: NEWS_TARGET_MS },
      }),
    ],
    acts: [],
    troubleSeconds: 0,
    targetMs: NEWS_TARGET_MS,
    promises: [recovers(60), staysWell, fewFail, isUsed, fewerFail],
  },
  {
    name: 'broken-feature',
    story:
      'One feature shipped broken and spoiled data with every use. The whole product was taken off line for hours because of it.',
    scale: 'seconds instead of hours',
    seconds: 100,
    capacity: SHOP.capacity,
    crowd: { visitors: 160, arriveMs: 60_000, stayMs: 60_000, thinkMs: 3_000 },
    rooms: [
      room(),
      { name: 'feature', host: '*', path: '/configurator', total_active_users: 1_000, new_users_per_minute: 6_000 },
    ],
    acts: [
      { atSeconds: 20, words: 'the configurator is broken by a release', breaks: { configurator: 'broken' } },
      {
        atSeconds: 30,
        words: 'the operator closes the configurator',
        // This also keeps out the visitors inside: `queue_all` would keep out only newcomers.
        turns: { room: 'feature', settings: { health_pins: { breakers: { origin: 'open' } } } },
      },
      { atSeconds: 65, words: 'the configurator is mended', breaks: { configurator: 'works' } },
      {
        atSeconds: 66,
        words: 'the operator opens the configurator',
        turns: { room: 'feature', settings: { health_pins: {} } },
      },
    ],
    troubleSeconds: 20,
    targetMs: TARGET_MS,
    promises: [
      keepsOrders,
      fewerFail,
      {
        words: 'two seconds after it was closed it spoils nothing more',
        isKept: room => room.spoiledAfterClosing === 0,
      },
    ],
  },
  {
    name: 'always-on',
    story: 'A service that is never off, thousands of requests a minute, every call known and bounded.',
    scale: 'four minutes; --seconds for a soak',
    seconds: 240,
    isSteady: true,
    capacity: 120,
    crowd: { visitors: 1_400, arriveMs: 230_000, stayMs: STEADY_MS, thinkMs: 1_500 },
    rooms: [room({ total_active_users: 2_000, new_users_per_minute: 600, session_duration: 1 })],
    acts: [],
    troubleSeconds: 0,
    targetMs: TARGET_MS,
    promises: [
      { words: 'no page fails', isKept: room => room.pagesFailed === 0 },
      {
        words:
          'a call to come in, then one at each of the two isolates for each seven seconds, when a lease of ten is renewed',
        isKept: room => room.objectCallsPerVisitor <= 1 + (2 * STEADY_MS) / 7_000,
      },
      {
        words:
          'its memory grows by a quarter at most from the second third of the run to the last, or hardly more than a proxy’s',
        isKept: (room, without) =>
          room.memoryGrowth === null || room.memoryGrowth <= Math.max(1.25, 1.1 * (without.memoryGrowth ?? 1)),
      },
      {
        words: 'nor does it get slower: p95 by a half at most',
        isKept: room => room.slowdown !== null && room.slowdown <= 1.5,
      },
    ],
  },
  {
    name: 'famous-blog',
    story:
      'A small marketplace was linked from a famous blog. More instances of the same size did not help; a stream of people met an error page, and nothing explained it.',
    scale: '900 visitors from nothing in ten seconds, a quarter of an hour, an origin of 16 pages a second',
    seconds: 900,
    capacity: 16,
    crowd: { visitors: 900, arriveMs: 10_000, stayMs: SHOP.stayMs, thinkMs: SHOP.thinkMs },
    rooms: [
      room({
        total_active_users: 80,
        new_users_per_minute: 120,
        health: { ...HEALTH, target_ms: BLOG_TARGET_MS },
      }),
    ],
    acts: [],
    troubleSeconds: 0,
    targetMs: BLOG_TARGET_MS,
    promises: [recovers(60), staysWell, fewFail, keepsOrders, isUsed, fewerFail],
  },
]
