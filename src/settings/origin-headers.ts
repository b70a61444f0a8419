/**
 * Headers that proxies set and origins trust. A visitor could forge them, so they are dropped unless a room names them
 * in `allowed_override_headers`. All of them are in this list.
 */

export interface SpokenByProxies {
  /** The false information that a forged header would give to an origin. */
  readonly why: string
  readonly names: readonly string[]
  /** All headers that begin with one of these are dropped. */
  readonly prefixes: readonly string[]
  /** Cloudflare sets these headers itself, so behind Cloudflare they are true. */
  readonly isCloudflares?: boolean
  /** The edge sets these headers itself, so no room can let a visitor's own one pass. */
  readonly isOurs?: boolean
}

export const SPOKEN_BY_PROXIES: readonly SpokenByProxies[] = [
  { why: 'the room has admitted this visitor', names: [], prefixes: ['waiting-room-'], isOurs: true },
  {
    why: 'the edge sets the address, host and scheme in these',
    names: ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded'],
    prefixes: [],
    isOurs: true,
  },
  {
    why: 'the request is for another path or host',
    names: [
      'base-url',
      'host-override',
      'proxy-host',
      'proxy-url',
      'request-uri',
      'x-backend-host',
      'x-host',
      'x-host-override',
      'x-http-destinationurl',
      'x-http-host-override',
      'x-override-url',
      'x-proxy-url',
      'x-real-host',
      'x-request-uri',
      'x-waws-unencoded-url',
    ],
    // Examples: X-Original-URL, X-Original-URI, X-Rewrite-URL, X-Forwarded-Uri, X-Forwarded-Prefix,
    // X-Envoy-Original-Path.
    prefixes: ['x-original-', 'x-rewrite-', 'x-forwarded-', 'x-envoy-', 'x-script-name', 'script-name', 'path-info'],
  },
  {
    why: 'the request has another method',
    names: ['x-action-method', 'x-http-method', 'x-http-method-override', 'x-method', 'x-method-override'],
    prefixes: [],
  },
  {
    why: 'the visitor has another address',
    names: [
      'client-ip',
      'cdn-src-ip',
      'cdn-real-ip',
      'ali-cdn-real-ip',
      'do-connecting-ip',
      'fastly-client-ip',
      'fly-client-ip',
      'incap-client-ip',
      'proxy-client-ip',
      'remote-addr',
      'wl-proxy-client-ip',
      'true-client-ip',
      'x-azure-clientip',
      'x-azure-socketip',
      'x-client-ip',
      'x-cluster-client-ip',
      'x-forward-for',
      'x-forwarded',
      'x-custom-ip-authorization',
      'x-host-ip',
      'x-nf-client-connection-ip',
      'x-originating-ip',
      'x-proxyuser-ip',
      'x-real-ip',
      'x-real-port',
      'x-sucuri-clientip',
      'x-true-client-ip',
      'x-vercel-forwarded-for',
      'x-vercel-proxied-for',
    ],
    prefixes: ['forwarded-', 'x-remote-'],
  },
  {
    why: 'the connection was another: its scheme, port or certificate',
    names: [
      'client-cert',
      'fastly-ssl',
      'front-end-https',
      'x-arr-ssl',
      'x-arr-clientcert',
      'x-https',
      'x-scheme',
      'x-url-scheme',
      'x-client-cert',
    ],
    prefixes: ['x-ssl-', 'ssl-client-', 'x-tls-'],
  },
  {
    why: 'a login in front of the origin has named this user',
    names: [
      'remote-user',
      'x-anonymous-consumer',
      'x-authenticated-user',
      'x-authenticated-userid',
      'x-credential-username',
      'x-jwt-assertion',
      'x-user-id-token',
      'x-webauth-user',
    ],
    // Used by oauth2-proxy, Kong, Google IAP, App Engine, AWS, Azure, Cloudflare Access and Tailscale.
    prefixes: [
      'x-consumer-',
      'x-auth-request-',
      'x-goog-iap-',
      'x-goog-authenticated-user-',
      'x-appengine-',
      'x-amzn-oidc-',
      'x-ms-client-principal',
      'cf-access-',
      'tailscale-',
    ],
  },
  {
    why: 'the framework itself has made this request',
    // `Proxy` is for httpoxy (CVE-2016-5385). The others are of Next.js (CVE-2025-29927) and its hosts.
    names: [
      'proxy',
      'x-middleware-invoke',
      'x-middleware-next',
      'x-middleware-rewrite',
      'x-middleware-override-headers',
      'x-middleware-set-cookie',
      'x-matched-path',
      'x-now-route-matches',
    ],
    prefixes: ['x-middleware-subrequest', 'x-invoke-'],
  },
  {
    why: 'Cloudflare has seen this of the visitor',
    names: [],
    prefixes: ['cf-'],
    isCloudflares: true,
  },
]

/** Returns whether a header, in lower case and with hyphens, is one of these. */
export function isNamedHeader({ names, prefixes }: SpokenByProxies, header: string): boolean {
  return names.includes(header) || prefixes.some(prefix => header.startsWith(prefix))
}

/** Returns whether a room may let a visitor's own header of this name pass. */
export function mayBeNamed(header: string): boolean {
  const kind = SPOKEN_BY_PROXIES.find(one => isNamedHeader(one, header))
  return kind !== undefined && !kind.isOurs
}
