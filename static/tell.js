// @ts-check
// Notifies the visitor of the turn: by a sound, a notification, a vibration and the icon of the tab. It asks for
// permission only after a click. It also keeps the screen on while the page is visible. The syntax is that of 2019, as
// on the page.
;(() => {
  const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id))
  const room = element('room')
  const button = element('tell')
  const Sound = window.AudioContext || /** @type {any} */ (window).webkitAudioContext
  const notifies = 'Notification' in window
  const ICON =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4.5" cy="4.5" r="4" fill="red"/></svg>'
  /** @type {AudioContext | undefined} */
  let audio

  const stayAwake = () => {
    if ('wakeLock' in navigator && document.visibilityState === 'visible')
      navigator.wakeLock.request('screen').catch(() => {})
  }

  // Plays two rising tones, twice.
  const ring = (/** @type {AudioContext} */ player) => {
    for (const [i, pitch] of [660, 880, 660, 880].entries()) {
      const tone = player.createOscillator()
      const loudness = player.createGain()
      const atSeconds = player.currentTime + i * 0.25
      tone.frequency.value = pitch
      loudness.gain.setValueAtTime(0.3, atSeconds)
      loudness.gain.exponentialRampToValueAtTime(0.001, atSeconds + 0.24)
      tone.connect(loudness).connect(player.destination)
      tone.start(atSeconds)
      tone.stop(atSeconds + 0.25)
    }
  }

  // On Android only service workers can show notifications, and this throws.
  const notify = () => {
    try {
      const note = new Notification(document.title, { body: element('lead').textContent || '', tag: 'antesala' })
      note.onclick = () => {
        window.focus()
        note.close()
      }
    } catch {}
  }

  button.addEventListener('click', () => {
    // A browser lets a page play sound only after a click.
    if (Sound) audio = new Sound()
    if (audio) audio.resume()
    if (notifies && Notification.permission === 'default') Notification.requestPermission()
    room.dataset.told = ''
    button.hidden = true
    element('told').hidden = false
    element('told').focus()
  })

  room.addEventListener('turn', () => {
    const icon = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[rel=icon]'))
    if (icon) icon.href = `data:image/svg+xml,${encodeURIComponent(ICON)}`
    button.hidden = true
    if (!('told' in room.dataset)) return
    if (audio) ring(audio)
    if ('vibrate' in navigator) navigator.vibrate([300, 100, 300])
    if (notifies && Notification.permission === 'granted') notify()
  })

  document.addEventListener('visibilitychange', stayAwake)
  stayAwake()
  button.hidden = !Sound && !notifies
})()
