/** The products of the shop, and the carts of its visitors. */
import { randomBytes } from 'node:crypto'

export interface Product {
  readonly id: number
  readonly name: string
  readonly about: string
  readonly euros: number
  /** For `pictures.ts`: half widths from the rim to the foot, and a hue. */
  readonly profile: readonly number[]
  readonly hue: number
}

export const PRODUCTS: readonly Product[] = [
  {
    id: 1,
    name: 'Morning cup',
    about: 'Holds a quarter of a litre and keeps it warm. Dishwasher safe.',
    euros: 18,
    profile: [34, 34, 33, 30, 22],
    hue: 24,
  },
  {
    id: 2,
    name: 'Soup bowl',
    about: 'Wide and deep, with a foot that does not scratch the table.',
    euros: 26,
    profile: [58, 55, 46, 30, 18],
    hue: 200,
  },
  {
    id: 3,
    name: 'Tall vase',
    about: 'For long stems. Waterproof, fired twice.',
    euros: 64,
    profile: [16, 13, 26, 38, 24],
    hue: 150,
  },
  {
    id: 4,
    name: 'Round jug',
    about: 'One litre, and it pours without dripping.',
    euros: 48,
    profile: [20, 18, 44, 48, 28],
    hue: 350,
  },
  {
    id: 5,
    name: 'Fruit bowl',
    about: 'Room for a week of apples, on a foot that lets the air in.',
    euros: 22,
    profile: [62, 60, 40, 24, 22],
    hue: 45,
  },
  {
    id: 6,
    name: 'Salt jar',
    about: 'Half a kilo of salt within reach. Comes with a cork.',
    euros: 29,
    profile: [26, 32, 36, 36, 32],
    hue: 260,
  },
  {
    id: 7,
    name: 'Bottle',
    about: 'Three quarters of a litre. Oil, wine, or one dry twig.',
    euros: 38,
    profile: [9, 9, 28, 34, 32],
    hue: 100,
  },
  {
    id: 8,
    name: 'Planter',
    about: 'A hole below, a saucer beside it. For inside and outside.',
    euros: 34,
    profile: [50, 46, 42, 38, 34],
    hue: 12,
  },
]

/** Product id to quantity. */
export type Cart = Map<number, number>

/** Bounds the memory that carts can take. Beyond it the oldest cart is removed. */
const CARTS_MAX = 100_000
const QUANTITY_MAX = 99

/** The carts of all visitors, by the value of their session cookie. */
export class Carts {
  readonly #carts = new Map<string, Cart>()

  of(session: string | undefined): Cart | null {
    return (session && this.#carts.get(session)) || null
  }

  /** A new empty cart, and the cookie value that names it. */
  open(): { session: string; cart: Cart } {
    const [oldest] = this.#carts.keys()
    if (this.#carts.size >= CARTS_MAX && oldest !== undefined) this.#carts.delete(oldest)
    const session = randomBytes(16).toString('base64url')
    const cart: Cart = new Map()
    this.#carts.set(session, cart)
    return { session, cart }
  }
}

export function productOf(id: string | null | undefined): Product | null {
  return PRODUCTS.find(product => `${product.id}` === id) ?? null
}

/** Returns false when the quantity is not a whole number from 1 up. */
export function addTo(cart: Cart, product: Product, quantity: number): boolean {
  if (!Number.isInteger(quantity) || quantity < 1) return false
  cart.set(product.id, Math.min(QUANTITY_MAX, (cart.get(product.id) ?? 0) + quantity))
  return true
}

export function totalEuros(cart: Cart): number {
  return [...cart].reduce((sum, [id, quantity]) => sum + quantity * (productOf(`${id}`)?.euros ?? 0), 0)
}
