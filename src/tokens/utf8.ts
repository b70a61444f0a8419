const ENCODER = new TextEncoder()

/** Returns the bytes of a text in UTF-8, as keys, signatures and hashes take them. */
export function utf8(text: string) {
  return ENCODER.encode(text)
}
