/** The shop's pages. Visitors' input is never shown again, so it needs no escaping. */
import { type Payment, paymentFields } from './bank.ts'
import { type Cart, PRODUCTS, type Product, productOf, totalEuros } from './goods.ts'
import { pictureOf } from './pictures.ts'

export function homePage(): string {
  const goods = PRODUCTS.map(
    product =>
      `<li><a href="/product/${product.id}"><img src="${pictureOf(product)}" alt="" width="200" height="200"><span class="label">${product.name} <span class="price">€${product.euros}</span></span></a></li>`,
  )
  return layout(
    'Pottery',
    `<h1>Made by hand, a few at a time</h1>
<p class="lead">Eight things for the table and the window sill, from one wheel and one kiln, or <a href="/configurator">one of your own</a>.</p>
<ul class="goods">${goods.join('\n')}</ul>`,
  )
}

export function productPage(product: Product): string {
  return layout(
    product.name,
    `<div class="product"><img src="${pictureOf(product)}" alt="${product.name}" width="400" height="400">
<div><h1>${product.name}</h1><p class="price">€${product.euros}</p><p>${product.about}</p>
<form method="post" action="/cart"><input type="hidden" name="product" value="${product.id}">
<label for="quantity">How many</label><input id="quantity" name="quantity" type="number" min="1" max="99" value="1">
<div><button>Put in the cart</button></div></form></div></div>`,
  )
}

export function cartPage(cart: Cart | null): string {
  if (!cart || cart.size === 0) {
    return layout(
      'Cart',
      '<h1>Your cart is empty</h1><p class="lead">Everything is still on <a href="/">the shelf</a>.</p>',
    )
  }
  const rows = [...cart].map(([id, quantity]) => {
    const product = productOf(`${id}`)
    return `<tr><td><a href="/product/${id}">${product?.name}</a></td><td>${quantity}</td><td>€${quantity * (product?.euros ?? 0)}</td></tr>`
  })
  return layout(
    'Cart',
    `<h1>Your cart</h1><table><thead><tr><th>Thing</th><th>How many</th><th>Price</th></tr></thead><tbody>
${rows.join('\n')}
<tr><th colspan="2">Together</th><th>€${totalEuros(cart)}</th></tr></tbody></table><a class="button" href="/checkout">To the checkout</a>`,
  )
}

/** A payment, and the address of the bank for it. */
export interface AtBank extends Payment {
  readonly bankUrl: string
}

export function checkoutPage(cart: Cart, payment: AtBank | null): string {
  const bank = payment
    ? `<form method="get" action="${payment.bankUrl}/pay">${paymentFields(payment)}<div><button>Pay at the demo bank</button></div></form>`
    : ''
  return layout(
    'Checkout',
    `<h1>Checkout</h1><p class="lead">€${totalEuros(cart)}, and postage is on us. This is a demo: nothing is charged, nothing is kept.</p>
<form method="post" action="/checkout"><label for="name">Name</label><input id="name" name="name" autocomplete="name" required>
<label for="street">Street and town</label><input id="street" name="street" autocomplete="street-address" required>
<div><button>Place the order</button></div></form>${bank}`,
  )
}

export function orderPage(order: string): string {
  return layout(
    'Thank you',
    `<h1>Thank you</h1><p class="lead">Your order number is <strong data-order="${order}">${order}</strong>. It leaves the kiln this week.</p>
<a class="button" href="/">Back to the shelf</a>`,
  )
}

export function configuratorPage(): string {
  return layout(
    'Your own',
    '<h1>Make your own</h1><p class="lead">Choose a shape and a glaze, and we throw it for you. <a href="/">The shelf</a> has what we make anyway.</p>',
  )
}

/** A page that explains in one sentence what could not be done. */
export function notePage(title: string, words: string): string {
  return layout(title, `<h1>${title}</h1><p class="lead">${words}</p><a class="button" href="/">To the shelf</a>`)
}

function layout(title: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Corner Pottery</title>
<link rel="icon" href="/assets/mark.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/shop.css">
</head>
<body>
<header><img src="/assets/mark.svg" alt="" width="24" height="24"><a class="name" href="/">Corner Pottery</a><a href="/cart">Cart</a></header>
<main>
${main}
</main>
<footer>A demo shop with a small kiln: it can only serve so many people at once.</footer>
</body>
</html>
`
}
