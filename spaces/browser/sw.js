// Service worker: answers from the network, and without one from the cache of its last answers. model.js caches models.
// The first visit caches all files: Python, which saves transcripts, would else be missing when first used offline.
const CACHE = "u2u-hf-page";

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(keepAll());
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  event.respondWith(answer(request));
});

async function keepAll() {
  const { files, graphics_files } = await (await fetch("space.json")).json();
  const cache = await caches.open(CACHE);
  const graphics = await navigator.gpu?.requestAdapter().catch(() => null);
  await cache.addAll(["./", ...files, ...(graphics ? graphics_files : [])]);
}

async function answer(request) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok && response.status === 200) cache.put(request, response.clone()).catch(() => {}); // no space left
    return response;
  } catch (error) {
    const kept = await cache.match(request);
    if (kept) return kept;
    throw error;
  }
}
