// @ts-check
// The part for rehearsals. Its files are loaded when it is first shown, because most visits to the dashboard do not
// need them.

export const rehearsePart = { name: 'rehearse', title: 'Rehearse', show }

/** @param {import('./api.js').Room} room */
async function show(room) {
  const part = await import('./rehearse/part.js')
  part.show(room)
}
