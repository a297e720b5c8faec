/** Return gzipped bytes unpacked. Some servers have already unpacked them: they send them as Content-Encoding. */
export async function unpacked(data) {
  if (new Uint8Array(data)[0] !== 0x1f) return data;
  return new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}
