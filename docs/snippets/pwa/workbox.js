// A service worker of Workbox: pages come from the network first, and the visitor's copies serve without a connection.
import { registerRoute, setCatchHandler } from 'workbox-routing'
import { NetworkFirst } from 'workbox-strategies'

const OFFLINE = '/offline.html'
const CACHE = 'offline-1'

/** A plugin for each strategy that stores. Without it Workbox stores a waiting page whose status is 200. */
const notOfTheRoom = {
  cacheWillUpdate: async ({ response }) =>
    response.status === 200 && !response.headers.has('Waiting-Room-State') ? response : null,
}

registerRoute(
  ({ request }) => request.mode === 'navigate',
  new NetworkFirst({ cacheName: 'pages', plugins: [notOfTheRoom] }),
)
// There is no connection, and no copy.
setCatchHandler(async () => (await caches.match(OFFLINE)) ?? Response.error())

self.addEventListener('install', event => {
  event.waitUntil(caches.open(CACHE).then(cache => cache.add(OFFLINE)))
  self.skipWaiting()
})
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()))
