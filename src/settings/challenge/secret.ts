/** The secret of Turnstile, by which Cloudflare recognizes the site. */

/** Returns the secret, or null if it is not set. */
export function turnstileSecret({ TURNSTILE_SECRET }: { readonly TURNSTILE_SECRET?: string }): string | null {
  return TURNSTILE_SECRET === undefined || TURNSTILE_SECRET === '' ? null : TURNSTILE_SECRET
}
