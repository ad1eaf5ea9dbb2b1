const NEAR = 40;
const TOGETHER = 3 * MINUTE;
const HIDDEN = 60000;
const LONGEST_WAIT = 10000;
const SILENT = 45000;
const LINK = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g;
const TALLEST = 180;

export default function (component) {
  const own = mounted(component, "chat");
  if (!own.log) start(own);
  own.form.hidden = !own.data.may;
  own.still.hidden = own.data.may;
  return own.close;
}

function start(own) {
  own.said = new Map();
  own.nodes = new Map();
  own.turn = -1;
  own.wait = 1000;
  own.here = el("p", { class: "here" });
  own.find = el("input", { type: "search", class: "find", placeholder: "Search what was said", "aria-label": "Search what was said" });
  own.find.oninput = () => later(own, "finding", 250, () => search(own));
  own.find.onkeydown = (event) => event.key === "Escape" && ((own.find.value = ""), search(own));
  own.log = el("div", { class: "log", role: "log", tabindex: 0, "aria-label": "Messages", "aria-busy": "true" });
  own.log.onscroll = () => atEnd(own) && (own.fresh.hidden = true);
  own.results = el("div", { class: "log results", role: "region", "aria-label": "Messages found", tabindex: 0, hidden: true });
  own.fresh = el("button", { type: "button", class: "fresh", text: "New messages ↓", hidden: true, onclick: () => toEnd(own) });
  own.menu = el("div", { class: "menu", popover: "auto", role: "menu" });
  own.menu.onkeydown = (event) => menuKey(own, event);
  own.still = el("p", { class: "hint", text: "You may read here. Those who work on it write." });
  composer(own);
  const head = el("div", { class: "top" }, el("h2", { text: "Chat" }), own.find, own.here);
  own.box.append(head, el("div", { class: "place" }, own.log, own.results, own.fresh), own.form, own.still, own.menu);
  const watch = new AbortController();
  const hear = (target, name, what) => target.addEventListener(name, what, { signal: watch.signal });
  hear(document, "visibilitychange", () => (document.hidden ? later(own, "leaving", HIDDEN, () => close(own)) : come(own)));
  hear(window, "online", () => come(own));
  hear(window, "offline", () => away(own));
  own.ended = () => {
    watch.abort();
    close(own);
  };
  connect(own);
}

function later(own, name, wait, what) {
  clearTimeout(own[name]);
  own[name] = setTimeout(what, wait);
}

const at = (own, path) => `/rooms/${encodeURIComponent(own.data.number)}/${path}`;

function come(own) {
  clearTimeout(own.leaving);
  connect(own);
}

// What a cut-off stream missed it is told when it comes back: by the turn and the mark that were seen last.
function connect(own) {
  if (own.source) return;
  const source = (own.source = new EventSource(at(own, `live?turn=${Math.max(own.turn, -1) < 0 ? "" : own.turn}&mark=${own.data.mark}`)));
  const alive = () => later(own, "silence", SILENT, () => away(own));
  for (const name of ["open", "said", "here", "change", "alive"]) source.addEventListener(name, alive);
  source.addEventListener("open", () => {
    own.wait = 1000;
    own.box.classList.remove("away");
  });
  source.addEventListener("said", (event) => {
    take(own, JSON.parse(event.data));
    own.turn = Number(event.lastEventId);
  });
  source.addEventListener("here", (event) => showHere(own, JSON.parse(event.data)));
  source.addEventListener("change", (event) => {
    const mark = JSON.parse(event.data);
    if (mark !== own.data.mark) later(own, "changing", 120, () => own.trigger("change", mark));
  });
  source.onerror = () => away(own);
}

function away(own) {
  close(own);
  own.box.classList.add("away");
  own.here.textContent = "Connecting again…";
  if (!document.hidden) later(own, "again", own.wait, () => connect(own));
  own.wait = Math.min(own.wait * 2, LONGEST_WAIT);
}

function close(own) {
  own.source?.close();
  own.source = null;
  clearTimeout(own.again);
  clearTimeout(own.silence);
}

function showHere(own, names) {
  const shown = names.slice(0, 4).map(avatar);
  own.here.replaceChildren(...shown, el("span", { text: names.length === 1 ? "Only you here" : `${names.length} here` }));
  own.here.title = names.join(", ");
}

const atEnd = (own) => own.log.scrollHeight - own.log.scrollTop - own.log.clientHeight < NEAR;

function toEnd(own) {
  own.log.scrollTop = own.log.scrollHeight;
  own.fresh.hidden = true;
}

function take(own, told) {
  const end = own.turn < 0 || atEnd(own);
  const before = new Set(own.said.keys());
  if (told.whole) {
    own.said.clear();
    own.earlier = told.earlier;
  }
  for (const message of told.said) own.said.set(message.id, message);
  show(own);
  const fresh = told.said.filter((message) => !before.has(message.id) && message.by !== own.data.me);
  if (end || told.said.some((message) => message.by === own.data.me && !before.has(message.id))) toEnd(own);
  else if (fresh.length) own.fresh.hidden = false;
}

// Nodes of messages that stay the same stay where they are: nothing jumps, and a selection is kept.
function show(own) {
  const wanted = [];
  let last = null;
  if (own.earlier) wanted.push((own.more ??= el("button", { type: "button", class: "earlier", text: "Earlier messages", onclick: () => earlier(own) })));
  for (const message of [...own.said.values()].sort((one, other) => one.id - other.id)) {
    const moment = new Date(message.at);
    const day = moment.toDateString() !== (last && new Date(last.at).toDateString());
    const goesOn = !day && last.by === message.by && !last.gone && !message.reply && moment - new Date(last.at) < TOGETHER;
    const drawn = JSON.stringify([message, day, goesOn]);
    let kept = own.nodes.get(message.id);
    if (kept?.drawn !== drawn) {
      kept = { drawn, node: messageNode(own, message, day, goesOn) };
      own.nodes.set(message.id, kept);
    }
    wanted.push(kept.node);
    last = message;
  }
  if (!own.said.size) {
    own.none ??= el("p", { class: "hint" });
    own.none.textContent = `Nothing was said yet.${own.data.mirrored ? "" : " What is written here stays among those who work on it."}`;
    wanted.push(own.none);
  }
  wanted.forEach((node, place) => own.log.children[place] !== node && own.log.insertBefore(node, own.log.children[place] ?? null));
  while (own.log.children.length > wanted.length) own.log.lastChild.remove();
  own.log.removeAttribute("aria-busy");
}

async function earlier(own) {
  const first = Math.min(...own.said.keys());
  const answer = await fetch(at(own, `messages?before=${first}`)).catch(() => null);
  if (!answer?.ok) return problem(own, "The earlier messages did not come. Try again in a moment.");
  const told = await answer.json();
  const below = own.log.scrollHeight - own.log.scrollTop;
  own.earlier = told.earlier;
  for (const message of told.said) own.said.set(message.id, message);
  show(own);
  own.log.scrollTop = own.log.scrollHeight - below;
}

async function search(own) {
  const words = own.find.value.trim();
  own.results.hidden = !words;
  own.log.hidden = Boolean(words);
  if (!words) return toEnd(own);
  const answer = await fetch(at(own, `messages?q=${encodeURIComponent(words)}`)).catch(() => null);
  if (words !== own.find.value.trim()) return;
  const told = answer?.ok ? await answer.json() : { said: [] };
  const none = answer?.ok ? "Nobody said that." : "The search did not answer. Try again in a moment.";
  const nodes = told.said.map((message) => messageNode(own, message, true, false));
  own.results.replaceChildren(...(nodes.length ? nodes : [el("p", { class: "hint", text: none })]));
}

function dayWords(own, moment) {
  const today = new Date(own.now()).toDateString() === moment.toDateString();
  if (today) return "Today";
  return new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" }).format(moment);
}

function messageNode(own, message, day, goesOn) {
  const moment = new Date(message.at);
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(moment);
  const time = el("time", { datetime: message.at, title: exactly(moment.getTime()), text: clock });
  const body = el("div", { class: "body" });
  if (message.pinned) body.append(el("p", { class: "pinned", text: "Pinned to the timeline" }));
  if (goesOn) body.append(el("span", { class: "unseen", text: `${message.who}, ` }));
  else body.append(el("p", { class: "who" }, el("strong", {}, el("bdi", { text: message.who })), " ", time));
  if (message.reply) body.append(el("p", { class: "quoted", dir: "auto" }, el("strong", { text: message.reply.who }), ` ${message.reply.text || "took it back"}`));
  if (message.gone) body.append(el("p", { class: "hint", text: "took this back" }));
  else if (message.text) body.append(words(own, message));
  if (message.file) body.append(file(message.file));
  if (message.task) body.append(el("p", { class: "note", text: "On the checklist" }));
  const side = goesOn ? time : avatar(message.who);
  const more = { type: "button", class: "more", "aria-haspopup": "menu", "aria-label": `What to do with the message of ${message.who}, ${clock}`, text: "⋯" };
  const node = el("div", { class: goesOn ? "message on" : "message", "data-id": message.id }, el("span", { class: "side" }, side), body);
  if (own.data.may && !message.gone) node.append(el("button", { ...more, onclick: (event) => openMenu(own, message, event.currentTarget) }));
  if (!day) return node;
  return el("div", {}, el("p", { class: "day", text: dayWords(own, moment) }), node);
}

// Text with its links and names marked; everything else stays text.
function words(own, message) {
  const node = el("p", { class: "text", dir: "auto" });
  let done = 0;
  for (const found of message.text.matchAll(LINK)) {
    named(own, node, message.text.slice(done, found.index));
    node.append(el("a", { href: found[0], target: "_blank", rel: "noopener noreferrer nofollow", text: found[0] }));
    done = found.index + found[0].length;
  }
  named(own, node, message.text.slice(done));
  if (message.edited) node.append(" ", el("span", { class: "note", text: "edited", title: exactly(Date.parse(message.edited)) }));
  return node;
}

function named(own, node, text) {
  const names = own.data.people.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  if (!names || !text.includes("@")) return node.append(text);
  text.split(new RegExp(`(@(?:${names}))`, "gi")).forEach((part, place) => {
    node.append(place % 2 ? el("span", { class: "mention", text: part }) : part);
  });
}

function file(kept) {
  const link = { href: `/files/${kept.id}`, download: kept.name, class: kept.picture ? "picture" : "file" };
  if (!kept.picture) return el("a", { ...link, text: kept.name });
  return el("a", link, el("img", { src: `/files/${kept.id}`, alt: kept.name, loading: "lazy" }));
}

const DEEDS = [
  ["reply", "Reply", () => true],
  ["pin", "Pin to the timeline", (own, message) => message.text && !message.pinned],
  ["task", "Make it a step of the checklist", (own, message) => message.text && !message.task],
  ["edit", "Edit", (own, message) => message.by === own.data.me],
  ["retract", "Take it back", (own, message) => message.by === own.data.me],
];

function openMenu(own, message, opener) {
  const items = DEEDS.filter(([, , fits]) => fits(own, message)).map(([name, label]) =>
    el("button", { type: "button", role: "menuitem", text: label, onclick: () => choose(own, message, name, opener) }));
  own.menu.replaceChildren(...items);
  const place = opener.getBoundingClientRect();
  own.menu.showPopover();
  const { width, height } = own.menu.getBoundingClientRect();
  own.menu.style.left = `${Math.max(4, place.right - width)}px`;
  own.menu.style.top = `${place.bottom + height > innerHeight ? place.top - height : place.bottom}px`;
  items[0].focus();
}

function menuKey(own, event) {
  const items = [...own.menu.children];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const place = items.indexOf(own.root.activeElement);
  items[(place + step + items.length) % items.length].focus();
}

async function choose(own, message, name, opener) {
  own.menu.hidePopover();
  if (name === "reply" || name === "edit") return about(own, name, message);
  opener.focus();
  await post(own, `messages/${message.id}/${name}`, {});
}

async function post(own, path, fields, picked) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  if (picked) body.append("file", picked, picked.name);
  const answer = await fetch(at(own, path), { method: "POST", body, headers: { "x-incident-desk": "room" } }).catch(() => null);
  if (answer?.ok) return problem(own, "") ?? true;
  const said = await answer?.json().catch(() => null);
  problem(own, said?.error ?? "It was not sent: the server cannot be reached. Your words are still here.");
  return false;
}

function problem(own, sentence) {
  own.wrong.textContent = sentence;
  own.wrong.hidden = !sentence;
}
