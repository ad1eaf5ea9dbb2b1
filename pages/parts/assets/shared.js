// Every text is set as textContent: nothing people wrote is ever read as markup.

const MINUTE = 60000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WARN_SHARE = 0.75;
const TICK = 5000;

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function shape(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const LINE = { fill: "none", stroke: "currentColor", "stroke-width": "1.8" };
const ROUND = { ...LINE, "stroke-linecap": "round", "stroke-linejoin": "round" };
const ring = () => shape("circle", { cx: 8, cy: 8, r: 6, ...LINE });
const RINGS = {
  new: () => [shape("circle", { cx: 8, cy: 8, r: 6, ...LINE, "stroke-dasharray": "2.6 2.11" })],
  assigned: () => [ring()],
  in_progress: () => [ring(), shape("path", { d: "M8 4a4 4 0 0 1 0 8z", fill: "currentColor" })],
  on_hold: () => [ring(), shape("path", { d: "M6.4 5.6v4.8M9.6 5.6v4.8", ...ROUND })],
  resolved: () => [ring(), shape("path", { d: "M8 8V4a4 4 0 1 1-4 4z", fill: "currentColor" })],
  recovered: () => [ring(), shape("path", { d: "M5.4 8.2l1.9 1.8 3.3-3.7", ...ROUND })],
  closed: () => [
    shape("circle", { cx: 8, cy: 8, r: 6.9, fill: "currentColor" }),
    shape("path", { d: "M5.2 8.2l2 1.9 3.6-4", ...ROUND, stroke: "var(--st-background-color)" }),
  ],
  cancelled: () => [ring(), shape("path", { d: "M6 6l4 4M10 6l-4 4", ...ROUND })],
};

function stateRing(state) {
  const tone = MARKS.states[state].tone;
  const box = { viewBox: "0 0 16 16", class: `ring tone-${tone}`, "aria-hidden": "true" };
  return shape("svg", box, ...RINGS[state]());
}

function stateMark(state) {
  const mark = MARKS.states[state];
  return el("span", { class: `state tone-${mark.tone}` }, stateRing(state), el("span", { text: mark.label }));
}

function chip(priority, worded) {
  const word = MARKS.priorities[priority];
  const attributes = { class: `chip p${priority}`, title: worded ? null : word };
  if (worded) return el("span", { ...attributes, text: `P${priority} ${word}` });
  return el("span", attributes, `P${priority}`, el("span", { class: "unseen", text: ` ${word}` }));
}

function initials(name) {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const first = (word) => [...new Intl.Segmenter().segment(word)][0]?.segment ?? "";
  const last = words.length > 1 ? first(words[words.length - 1]) : "";
  return (first(words[0] ?? "?") + last).toLocaleUpperCase();
}

function avatar(name) {
  const shown = el("span", { "aria-hidden": "true", text: name ? initials(name) : "?" });
  const said = el("span", { class: "unseen", text: name || "Nobody yet" });
  return el("span", { class: name ? "person" : "person nobody", title: name || "Nobody yet" }, shown, said);
}

function duration(milliseconds) {
  const minutes = Math.floor(milliseconds / MINUTE);
  if (minutes < 1) return "under 1 min";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 6 && minutes % 60) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  if (hours < 24) return `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 && days < 10 ? `${days} d ${hours % 24} h` : `${days} d`;
}

// What one clock says at `now`: words, share of the target used (0..1 or null), tone (ok, warning, late, still).
function reading(clock, now, from) {
  const due = Date.parse(clock.due);
  const start = clock.start ? Date.parse(clock.start) : null;
  let share = clock.share ?? null;
  if (clock.done) return { words: clock.label ?? "Done", share, tone: "still" };
  if (clock.paused) return { words: clock.label ?? "Paused", share, tone: "still" };
  if (share !== null && due > from) share += ((now - from) / (due - from)) * (1 - share);
  if (share === null && start !== null && due > start) share = (now - start) / (due - start);
  const late = now >= due;
  if (late) share = 1;
  const words = clock.label ?? `${duration(Math.abs(due - now))} ${late ? "late" : "left"}`;
  return { words, share, tone: late ? "late" : share !== null && share >= WARN_SHARE ? "warning" : "ok" };
}

function bar() {
  return el("span", { class: "bar", "aria-hidden": "true" }, el("span", { class: "used" }));
}

function fill(barNode, share) {
  const used = Math.min(1, Math.max(0.03, share));
  barNode.firstChild.style.width = `${used * 100}%`;
}

// A bar and words that count by themselves; `own` is the component it stands in.
function clockMark(clock, own) {
  const words = el("span", { class: "words" });
  const barNode = bar();
  const node = el("span", { class: "clock" }, barNode, words);
  const from = own.now();
  const tick = () => {
    const said = reading(clock, own.now(), from);
    if (words.textContent !== said.words) words.textContent = said.words;
    if (node.dataset.tone !== said.tone) node.dataset.tone = said.tone;
    barNode.hidden = said.share === null;
    if (said.share !== null) fill(barNode, said.share);
  };
  tick();
  own.ticks.push(tick);
  const moment = Date.parse(clock.due);
  if (!clock.done && !Number.isNaN(moment)) node.title = `Due ${exactly(moment)}`;
  return node;
}

function exactly(moment) {
  const parts = { weekday: "short", day: "numeric", month: "short", year: "numeric" };
  const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `${new Intl.DateTimeFormat("en-GB", { ...parts, ...time }).format(moment)} (${zone})`;
}

// The lasting part of one mounted component: its box, its clockwork and its link to the server.
function mounted(component, className) {
  const root = component.parentElement;
  let box = root.querySelector(".desk");
  if (!box) {
    box = el("div", { class: `desk ${className}` });
    root.append(box);
    const own = { root, box, ticks: [], skew: 0, drawn: null };
    own.now = () => Date.now() + own.skew;
    own.timer = setInterval(() => own.ticks.forEach((tick) => tick()), TICK);
    own.close = () => {
      clearInterval(own.timer);
      own.watch?.disconnect();
      own.ended?.();
      box.remove();
    };
    box.own = own;
  }
  const own = box.own;
  own.data = component.data;
  own.trigger = component.setTriggerValue;
  own.keep = component.setStateValue;
  if (component.data.now) own.skew = Date.parse(component.data.now) - Date.now();
  return own;
}

// Draws again only when something to see has changed, so that a live page never takes a press or the focus away.
function redraw(own, extra, draw) {
  const { now, ...seen } = own.data;
  const wanted = JSON.stringify([seen, extra]);
  if (wanted === own.drawn) return;
  own.drawn = wanted;
  const held = own.root.activeElement;
  const place = held && own.box.contains(held) ? { part: held.dataset.part, id: held.dataset.id } : null;
  own.ticks = [];
  draw();
  if (place?.part) own.refocus?.(place);
}
