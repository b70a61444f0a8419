const ENCODER = new TextEncoder()

/** Returns a text as bytes in UTF-8, the form that keys, signatures and hashes take. */
export function utf8(text: string) {
  return ENCODER.encode(text)
}
