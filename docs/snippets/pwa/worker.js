// A service worker with an offline page that lets the waiting room through.
const OFFLINE = '/offline.html'
const CACHE = 'offline-1'

self.addEventListener('install', event => {
  event.waitUntil(caches.open(CACHE).then(cache => cache.add(OFFLINE)))
  self.skipWaiting()
})
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()))
self.addEventListener('fetch', event => {
  if (event.request.mode === 'navigate') event.respondWith(pageFor(event.request))
})

async function pageFor(request) {
  try {
    const response = await fetch(request)
    // An answer of the waiting room is no failure of the site. It is never stored.
    if (response.status < 500 || response.headers.has('Waiting-Room-State')) return response
  } catch {
    // There is no connection.
  }
  return (await caches.match(OFFLINE)) ?? Response.error()
}
