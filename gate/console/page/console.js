// The script of both pages. It shows what the gate's daemon says and forgets it in time; it
// decides nothing. Whatever goes wrong here, the page must end up neutral.

const body = document.body
const isPublic = body.dataset.screen === 'public'
const $ = (selector, within = document) => within.querySelector(selector)
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)]

const silence = 1900 // ms without a word from the gate, whose heart beats each second
const langs = ['zh-Hans', 'en']
const catalogue = {}
let lang = localStorage.getItem('lang') || body.dataset.lang || 'zh-Hans'
let sound = localStorage.getItem('sound') || body.dataset.sound || 'off'

const word = (key, l = lang) => catalogue[l]?.[key] ?? ''
const fill = (key, args) => word(key).replace(/\{(\w+)\}/g, (_, name) => args[name] ?? '')

// ---- what is under every verdict: idle, closed, or lost

let base = 'lost'
let watchdog

function rest(face) {
  base = face
  body.dataset.base = face
  $('#base use').setAttribute('href', '#g-' + face)
  say($('#base'), face, { idle: 'show', closed: 'lane', lost: isPublic ? 'lost' : '' }[face])
  if (!isPublic) preview()
}

// say writes a face's word and the holder's line into a face, in its places' languages.
function say(at, face, what) {
  for (const h of $$('.word', at)) h.textContent = word('face.' + face, h.lang || lang)
  for (const p of $$('.say > .line', at)) {
    if (isPublic || at.id === 'base') p.textContent = what ? word('do.' + what, p.lang || lang) : ''
  }
}

function lost() {
  clear()
  rest('lost')
}

function heard() {
  clearTimeout(watchdog)
  watchdog = setTimeout(lost, silence)
}

// ---- how old an event is

// The gate counts milliseconds from its start. The smallest difference to our own count is
// the way of an event that came at once; what is beyond that is how late one is. A tab that
// slept would otherwise show an old PASS as a new one.
let soonest = Infinity

function lateness(mono) {
  const difference = performance.now() - mono
  soonest = Math.min(soonest, difference)
  return difference - soonest
}

// ---- a verdict

let shown = null // the event on the screen
let node = null
let timers = []

function verdict(event) {
  const left = event.ttl - lateness(event.mono)
  if (left <= 0) return
  clear()
  shown = event
  node = $('#verdict').content.firstElementChild.cloneNode(true)
  node.dataset.face = event.face
  node.dataset.event = event.event
  node.style.setProperty('--ttl', left + 'ms')
  $('use', node).setAttribute('href', '#g-' + event.face)
  if (isPublic) say(node, event.face, event.do)
  else detail()
  $('#live').append(node)
  const mine = event
  node.addEventListener('animationend', e => { if (e.animationName === 'live' && shown === mine) clear() })
  timers.push(setTimeout(clear, left))
  if (event.person) timers.push(setTimeout(wipe, Math.max(0, event.wipe - (event.ttl - left))))
  bar()
  play(event.face)
}

function clear() {
  timers.forEach(clearTimeout)
  timers = []
  node?.remove()
  node = shown = null
  bar()
}

// wipe takes the person off the screen and out of memory.
function wipe() {
  if (shown) shown.person = null
  if (node) put('holder', '')
}

// stale clears a verdict that turns out to be older than it looked.
function stale() {
  if (shown && performance.now() - shown.mono - soonest > shown.ttl) clear()
}

function put(name, text) {
  const row = $('.facts > .' + name, node)
  row.hidden = !text
  $('dd', row).textContent = text
}

// detail writes all that the guard may read, in the guard's language.
function detail() {
  const e = shown
  node.style.setProperty('--wipe', e.wipe + 'ms')
  say(node, e.face)
  for (const at of $$('[data-w]', node)) at.textContent = word(at.dataset.w)
  $('.code', node).textContent = e.reason
  $('.code', node).hidden = !e.reason
  $('.line span', node).textContent = e.line[lang]
  $('.detail', node).textContent = [e.seq ? '#' + e.seq : '', e.amends ? '→ #' + e.amends : '', e.guard, e.rule, e.detail].filter(Boolean).join(' · ')
  const judged = ['admit', 'deny', 'refer'].includes(e.face)
  const seen = judged && e.seq > 0
  put('holder', e.person ? [e.person.name, e.person.born].filter(Boolean).join(' · ') : '')
  put('issuer', seen ? [e.issuer, e.format, e.second].filter(Boolean).join(' · ') : '')
  put('without', seen && e.without ? word('without.' + e.without) : '')
  put('grade', e.grade ? [word('grade.' + e.grade), e.here ? fill('ui.here', { grade: word('grade.' + e.here) }) : word('face.' + e.face)].join(' → ') : '')
  put('skin', seen ? [e.skin, word('quality.' + e.quality)].filter(Boolean).join(' · ') : '')
  put('keys', seen ? e.keys[lang] : '')
  put('rules', seen ? [e.policy, e.accord].filter(Boolean).join(' · ') : '')
  $('.facts', node).hidden = !seen
  node.classList.toggle('bare', !seen)
}

// ---- sound: the daemon has its own buzzer; this one is for a guard at a desk

let audio
const tunes = {
  neutral: { admit: [660, 990], deny: [220, 220], refer: [220, 220] },
  distinct: { admit: [660, 990], deny: [220, 165], refer: [330, 330, 330] },
}

function play(face) {
  const tune = tunes[sound]?.[face]
  if (isPublic || !tune) return
  const asked = performance.now()
  try {
    audio ??= new AudioContext()
    // A browser that wants a touch first would keep all tunes until then and play them at once.
    audio.resume().then(() => { if (performance.now() - asked < 500) strike(tune) }, () => {})
  } catch {
    // No sound card: the screen says it all.
  }
}

function strike(tune) {
  tune.forEach((pitch, i) => {
    const at = audio.currentTime + i * 0.2
    const tone = new OscillatorNode(audio, { frequency: pitch, type: 'triangle' })
    const volume = new GainNode(audio, { gain: 0 })
    volume.gain.setTargetAtTime(0.5, at, 0.01)
    volume.gain.setTargetAtTime(0, at + 0.14, 0.02)
    tone.connect(volume).connect(audio.destination)
    tone.start(at)
    tone.stop(at + 0.3)
  })
}

// ---- the guard's page

let state = null // the last heartbeat
let shift = { last: [] }

function cell(name, text, well) {
  const c = $('#cell-' + name)
  c.classList.toggle('ill', !well)
  $('dd', c).textContent = text
}

function strip() {
  if (!state) return
  cell('link', word(state.linked ? 'ui.linked' : 'ui.unlinked'), state.linked)
  cell('queue', state.queue, true)
  cell('keys', state.keys[lang], !state.stale)
  cell('clock', word(state.clock ? 'ui.trusted' : 'ui.untrusted'), state.clock)
  $('#time').textContent = state.time
  cell('policy', state.policy || word('ui.nopolicy'), state.policy)
  const banner = $('#banner')
  banner.hidden = state.banner.length === 0
  banner.replaceChildren(...state.banner.slice(0, 2).flatMap(n => {
    const code = document.createElement('b')
    code.textContent = n.reason
    return [code, ' ' + n.line[lang] + (n.since ? ' · ' + n.since : '') + '  ']
  }))
}

function list() {
  const row = (name, ...what) => {
    const s = document.createElement('span')
    s.className = name
    s.append(...what)
    return s
  }
  const mark = face => {
    const m = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
    m.append(document.createElementNS('http://www.w3.org/2000/svg', 'use'))
    m.firstChild.setAttribute('href', '#g-' + face)
    return m
  }
  const count = (face, n, name) => {
    const c = row('count', mark(face), ' ' + n)
    c.dataset.face = face
    c.title = word('ui.' + name)
    return c
  }
  $('#last').replaceChildren(...shift.last.map(p => {
    const li = document.createElement('li')
    li.dataset.face = p.face
    li.append(mark(p.face), row('seq', '#' + p.seq), row('at', p.at), row('why', p.reason), row('issuer', p.amends ? '→ #' + p.amends : p.issuer))
    return li
  }))
  $('#counts').replaceChildren(...(!shift.since ? [row('since', word('ui.nobody'))] : [
    row('since', fill('ui.since', { time: shift.since })),
    count('admit', shift.admitted, 'admitted'),
    count('deny', shift.denied, 'denied'),
    count('refer', shift.referred, 'referred'),
    ...(shift.unanswered ? [row('unanswered', shift.unanswered + ' ' + word('ui.unanswered'))] : []),
  ]))
}

// bar offers what can be done now, and nothing else.
function bar() {
  if (isPublic) return
  const asks = shown?.face === 'deny' || shown?.face === 'refer'
  $('#ack').hidden = !asks
  $('#time').hidden = asks
  if ($('#enter')) $('#enter').hidden = asks || base !== 'idle'
  const decide = $('#decide')
  if (!decide) return
  const seq = shown ? shown.seq : shift.last[0]?.seq
  decide.hidden = !seq || base === 'lost'
  decide.dataset.seq = seq
  decide.textContent = fill('ui.decide', { seq: '#' + seq })
  const meanwhile = $('#meanwhile')
  meanwhile.dataset.face = shown ? shown.face : ''
  meanwhile.textContent = shown ? (shown.seq ? '#' + shown.seq + ' ' : '') + word('face.' + shown.face) : ''
}

function acknowledge() {
  if ($('#ack').hidden) return
  const event = shown.event
  clear()
  post('/acknowledge', { event })
}

async function post(path, what) {
  try {
    const r = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(what) })
    return await r.json()
  } catch {
    return { error: 'lost' }
  }
}

function translate() {
  document.documentElement.lang = lang
  for (const at of $$('[data-w]')) at.textContent = word(at.dataset.w)
  for (const at of $$('[data-l]')) at.ariaLabel = at.title = word(at.dataset.l)
  const b = $('#sound')
  b.dataset.sound = sound
  b.ariaLabel = b.title = word('ui.sound.' + sound)
  $('i', b).textContent = { off: '', neutral: '1', distinct: '3' }[sound] ?? ''
  rest(base)
  if (node) detail()
  strip()
  list()
  bar()
}

let looking = false

function preview() {
  const img = $('#preview')
  if (!img) return
  img.hidden = !looking || base !== 'idle'
  if (img.hidden || document.hidden || img.dataset.busy) return
  img.dataset.busy = 'yes'
  img.onload = img.onerror = () => setTimeout(() => { delete img.dataset.busy; preview() }, 150)
  img.src = '/preview.jpg?n=' + Date.now()
}

function guardPage() {
  const press = (id, does) => $(id)?.addEventListener('click', e => { does(e); e.currentTarget?.blur?.() })
  press('#lang', () => { lang = langs.find(l => l !== lang); localStorage.setItem('lang', lang); translate() })
  press('#sound', () => {
    sound = { off: 'neutral', neutral: 'distinct', distinct: 'off' }[sound] ?? 'off'
    localStorage.setItem('sound', sound)
    translate()
    play('admit')
  })
  const blue = on => {
    body.classList.toggle('blue', on)
    $('#blue').ariaPressed = on
  }
  blue((localStorage.getItem('blue') ?? body.dataset.blue) === 'yes')
  press('#blue', () => {
    blue(!body.classList.contains('blue'))
    localStorage.setItem('blue', body.classList.contains('blue') ? 'yes' : '')
  })
  press('#camera', () => { looking = !looking; $('#camera').ariaPressed = looking; preview() })
  press('#ack', acknowledge)
  // A footswitch is a keyboard with one key.
  addEventListener('keydown', e => {
    if ($('#decision')?.open || !['Enter', ' ', 'Escape'].includes(e.key)) return
    if (!$('#ack').hidden) {
      e.preventDefault()
      acknowledge()
    }
  }, true)
  if ($('#decision')) decisions()
}

// ---- a guard's decision: a reason, a PIN, one button

function decisions() {
  const dialog = $('#decision')
  let seq, chosen, pin // seq is 0 for somebody who comes without a code

  const draw = () => {
    const about = shift.last.find(p => p.seq === seq)
    for (const way of $$('[data-way]', dialog)) way.hidden = (way.dataset.way === 'enter') !== (seq === 0)
    $('h2', dialog).textContent = seq === 0 ? word('ui.enter') : '#' + seq + (about ? ' ' + word('face.' + about.face) + ' ' + about.reason : '')
    $('#pin').textContent = '●'.repeat(pin.length) || word('ui.pin')
    $('#pin').classList.toggle('empty', !pin)
    for (const b of $$('[data-note]', dialog)) b.ariaPressed = b === chosen
    const send = $('#send')
    send.disabled = !chosen || pin.length < 4
    send.dataset.call = chosen?.dataset.call ?? ''
    send.textContent = word({ admit: 'ui.letpass', deny: 'ui.refuse', enter: 'ui.judge' }[chosen?.dataset.call] ?? 'ui.choose')
  }
  const key = k => {
    $('#trouble').textContent = ''
    if (k === 'erase') pin = pin.slice(0, -1)
    else if (pin.length < 12) pin += k
    draw()
  }
  const send = async () => {
    const who = { guard: $('#guard').value, pin }
    const what = seq === 0 ? { without: chosen.dataset.note, ...who } : { amends: seq, call: chosen.dataset.call, note: chosen.dataset.note, ...who }
    pin = ''
    draw()
    const answer = await post(seq === 0 ? '/enter' : '/decide', what)
    if (!answer.error) dialog.close()
    else $('#trouble').textContent = fill('error.' + answer.error, { n: answer.wait })
  }

  const begin = about => {
    seq = about
    chosen = null
    pin = ''
    $('#trouble').textContent = ''
    draw()
    dialog.showModal()
  }
  $('#decide')?.addEventListener('click', e => begin(Number(e.currentTarget.dataset.seq)))
  $('#enter')?.addEventListener('click', () => begin(0))
  dialog.addEventListener('close', () => {
    pin = ''
    document.activeElement?.blur() // the next press of the footswitch must not open it again
  })
  dialog.addEventListener('click', e => {
    const b = e.target.closest('button')
    if (!b) return
    if (b.dataset.note) { chosen = b; draw() }
    if (b.dataset.key) key(b.dataset.key)
    if (b.id === 'cancel') dialog.close()
    if (b.id === 'send') send()
  })
  dialog.addEventListener('keydown', e => {
    if (/^[0-9]$/.test(e.key)) key(e.key)
    if (e.key === 'Backspace') key('erase')
  })
}

// ---- the stream

function listen() {
  const events = new EventSource('/events?screen=' + body.dataset.screen)
  const on = (name, does) => events.addEventListener(name, e => {
    heard()
    does(JSON.parse(e.data))
  })
  events.onerror = lost
  on('hello', h => {
    soonest = Infinity
    if (h.version !== body.dataset.version) location.reload()
  })
  on('status', s => {
    lateness(s.mono)
    stale()
    state = s
    const face = s.closed ? 'closed' : 'idle'
    if (face !== base) rest(face)
    if (!isPublic) {
      strip()
      bar()
    }
  })
  on('verdict', verdict)
  on('clear', c => { if (shown?.event === c.event) clear() })
  on('shift', s => { shift = { ...s, last: s.last ?? [] }; list(); bar() }) // nobody yet is no list
  addEventListener('visibilitychange', () => { if (!isPublic) preview() })
}

await Promise.all(langs.map(async l => { catalogue[l] = await (await fetch(`/words/${l}.json`)).json() }))
if (!langs.includes(lang)) lang = 'zh-Hans'
if (isPublic) rest('lost')
else {
  guardPage()
  translate()
}
listen()
