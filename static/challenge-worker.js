// @ts-check
// Finds the number that solves a proof of work (ALTCHA, PBKDF2). It runs in a worker, so that the page stays
// responsive. The syntax is that of 2019, as on the page.

const bytesOf = (/** @type {string} */ hex) => Uint8Array.from(hex.match(/../g) || [], pair => parseInt(pair, 16))

self.onmessage = async ({ data: { parameters } }) => {
  const { nonce, salt, cost, keyLength, keyPrefix } = parameters
  const begin = bytesOf(nonce)
  const password = new Uint8Array(begin.length + 4)
  password.set(begin)
  const view = new DataView(password.buffer)
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: bytesOf(salt), iterations: cost }
  for (let counter = 0; ; counter++) {
    view.setUint32(begin.length, counter)
    const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
    const derived = new Uint8Array(await crypto.subtle.deriveBits(how, key, keyLength * 8))
    const derivedKey = Array.from(derived, byte => byte.toString(16).padStart(2, '0')).join('')
    if (derivedKey.startsWith(keyPrefix)) return self.postMessage({ counter, derivedKey })
  }
}
