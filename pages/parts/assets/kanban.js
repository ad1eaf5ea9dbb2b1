const GRACE = 1500;
const NO_ANSWER = 12000;
const THRESHOLD = 6;
const LONG_PRESS = 280;
const NARROWEST = 186;
const RAIL = 40;
const GAP = 6;
const LEAST_OPEN = 3;
const EDGE = 48;

export default function (component) {
  const own = mounted(component, "board");
  if (!own.watch) start(own);
  settle(own);
  show(own);
  return own.close;
}

function start(own) {
  own.turn = Date.now();
  own.moved = new Map();
  own.folds = new Map();
  own.live = el("p", { class: "unseen", role: "status", "aria-live": "polite" });
  own.lane = el("div", { class: "lane", role: "group", "aria-label": "Board" });
  own.menu = el("div", { class: "menu", popover: "auto", role: "menu" });
  own.menu.onkeydown = (event) => menuKey(own, event);
  own.help = el("p", { class: "help" });
  own.box.append(own.lane, own.help, own.menu, own.live);
  own.refocus = (place) => focusOn(own, place.id, place.part);
  own.watch = new ResizeObserver(() => show(own));
  own.watch.observe(own.box);
  own.lane.onkeydown = (event) => cardKey(own, event);
  own.lane.onpointerdown = (event) => press(own, event);
  const block = (event) => own.drag?.live && event.preventDefault();
  own.lane.addEventListener("touchmove", block, { passive: false });
  own.lane.oncontextmenu = (event) => own.drag && event.preventDefault();
  own.ended = () => own.drag?.end(false);
}

const stateOf = (own, card) => own.moved.get(card.id)?.to ?? card.state;
const cardOf = (own, id) => own.data.cards.find((card) => card.id === id);
const columnOf = (own, state) => own.data.columns.find((column) => column.state === state);
const labelOf = (own, state) => columnOf(own, state)?.label ?? MARKS.states[state].label;

function say(own, words) {
  own.live.textContent = "";
  requestAnimationFrame(() => (own.live.textContent = words));
}

// A move stands until the server's data has it, or until the server has answered and still says otherwise.
function settle(own) {
  for (const [id, move] of own.moved) {
    const card = cardOf(own, id);
    if (!card || card.state !== move.from) drop(own, id);
    else if ((own.data.answered ?? 0) >= move.turn && !move.answered) {
      move.answered = true;
      clearTimeout(move.timer);
      move.timer = setTimeout(() => revert(own, id), GRACE);
    }
  }
}

function drop(own, id) {
  clearTimeout(own.moved.get(id)?.timer);
  own.moved.delete(id);
}

function revert(own, id) {
  const move = own.moved.get(id);
  drop(own, id);
  show(own);
  if (move) say(own, `${id} stays in ${labelOf(own, move.from)}.`);
}

function whyNot(own, card, state) {
  if (state === card.state) return "It is here";
  const column = columnOf(own, state);
  if (!column.allowed) return column.reason || "Not by hand";
  if (own.moved.has(card.id)) return "Being moved";
  if (!(card.moves ?? []).includes(state)) return column.reason || `Not from ${labelOf(own, card.state)}`;
  return null;
}

function moveTo(own, card, to) {
  const why = whyNot(own, card, to);
  if (why) return say(own, `${card.id} cannot go to ${labelOf(own, to)}: ${why}.`);
  const turn = (own.turn = Math.max(own.turn + 1, Date.now()));
  own.moved.set(card.id, { from: card.state, to, turn, timer: setTimeout(() => revert(own, card.id), NO_ANSWER) });
  show(own);
  focusOn(own, card.id, "open");
  say(own, `${card.id} moved to ${labelOf(own, to)}.`);
  own.trigger("event", { kind: "move", id: card.id, origin: card.state, to, turn });
}

const tell = (own, kind, id) => own.trigger("event", { kind, id, turn: (own.turn = Math.max(own.turn + 1, Date.now())) });

// Where not every column fits, some fold to rails: empty ones first, then from the end. A rail keeps its count and
// takes drops. Worked out anew only when the room or the columns change, so that nothing folds under the hand.
function folded(own) {
  const states = own.data.columns.map((column) => column.state);
  const wide = own.box.clientWidth;
  if (wide < 560) return new Set();
  const room = `${wide} ${states}`;
  if (own.room !== room) {
    own.room = room;
    own.rails = new Set();
    const holds = new Set(own.data.cards.map((card) => card.state));
    const last = [...states].reverse();
    for (const state of [...last.filter((one) => !holds.has(one)), ...last.filter((one) => holds.has(one))]) {
      const open = states.length - own.rails.size;
      if (open * NARROWEST + own.rails.size * RAIL + (states.length - 1) * GAP <= wide || open <= LEAST_OPEN) break;
      own.rails.add(state);
    }
  }
  return new Set(states.filter((state) => own.folds.get(state) ?? own.rails.has(state)));
}

function show(own) {
  if (own.drag?.live) return;
  const rails = folded(own);
  redraw(own, [[...rails], [...own.moved].map(([id, move]) => [id, move.to])], () => {
    if (own.menu.matches(":popover-open")) own.menu.hidePopover();
    const tops = new Map([...own.lane.querySelectorAll(".column")].map((node) => [node.dataset.state, node.scrollTop]));
    own.lane.replaceChildren(...own.data.columns.map((column) => columnNode(own, column, rails.has(column.state))));
    for (const node of own.lane.querySelectorAll(".column")) node.scrollTop = tops.get(node.dataset.state) ?? 0;
    own.help.textContent = "Drag a card, or focus it and press Alt + ← →. Enter opens the room.";
  });
}

function columnNode(own, column, rail) {
  const cards = own.data.cards.filter((card) => stateOf(own, card) === column.state);
  const leaving = own.data.cards.filter((card) => card.state === column.state).length;
  const count = column.count + cards.length - leaving;
  const shown = Math.min(count, column.shown + cards.length - leaving);
  const all = count.toLocaleString("en") + (column.over ? "+" : "");
  const left = (column.over ? "" : `${(count - shown).toLocaleString("en")} `) + "more";
  const total = shown < count && !rail ? `${shown} of ${all}` : all;
  const head = el("button", {
    type: "button",
    class: "head",
    "aria-expanded": String(!rail),
    title: rail ? `Unfold ${column.label}` : `Fold ${column.label}`,
    "data-id": column.state,
    "data-part": "head",
    onclick: () => {
      own.folds.set(column.state, !rail);
      show(own);
    },
  });
  head.append(stateRing(column.state), el("span", { class: "name", text: column.label }), el("span", { class: "count", text: total }));
  const node = el("section", { class: rail ? "column rail" : "column", "data-state": column.state, "aria-label": column.label });
  node.append(head, el("p", { class: "verdict", "aria-hidden": "true" }, el("span")));
  if (rail) return node;
  if (cards.length) node.append(el("ul", { class: "cards" }, ...cards.map((card) => cardNode(own, card))));
  else if (!count) node.append(el("p", { class: "none", text: "None" }));
  if (shown < count) {
    const rest = { class: "rest", text: cards.length ? left : `${all} not shown here` };
    const more = { type: "button", "data-id": column.state, "data-part": "more", onclick: () => tell(own, "more", column.state) };
    node.append(column.more ? el("button", { ...rest, ...more, text: `Show ${left}` }) : el("p", rest));
  }
  return node;
}

function cardNode(own, card) {
  const open = el("button", {
    type: "button",
    class: "open",
    dir: "auto",
    text: card.title,
    title: card.title,
    "data-id": card.id,
    "data-part": "open",
    "aria-keyshortcuts": "Alt+ArrowLeft Alt+ArrowRight",
    onclick: () => !own.justDragged && tell(own, "open", card.id),
  });
  const more = el("button", {
    type: "button",
    class: "more",
    "aria-haspopup": "menu",
    "aria-label": `Move or open ${card.id}`,
    title: "Move to …",
    "data-id": card.id,
    "data-part": "more",
    onclick: (event) => openMenu(own, card, event.currentTarget),
  });
  more.append(shape("svg", { viewBox: "0 0 16 16", class: "dots", "aria-hidden": "true" }, ...[3.5, 8, 12.5].map((cx) => shape("circle", { cx, cy: 8, r: 1.4, fill: "currentColor" }))));
  const top = el("div", { class: "line" }, el("span", { class: "reference", text: card.id }), more);
  if (card.priority) top.append(chip(card.priority, false));
  const foot = el("div", { class: "line foot" });
  if (card.awaits) foot.append(el("span", { class: "awaits", dir: "auto", text: card.awaits }));
  else if (card.clock) foot.append(clockMark(card.clock, own));
  else foot.append(el("span", { class: "awaits", text: card.age ?? "" }));
  if ("person" in card) foot.append(avatar(card.person));
  const node = el("li", { class: own.moved.has(card.id) ? "card moving" : "card", "data-card": card.id });
  node.append(top, open);
  if (card.service) node.append(el("span", { class: "service", dir: "auto", text: card.service }));
  node.append(foot);
  return node;
}

function focusOn(own, id, part) {
  const here = [...own.lane.querySelectorAll("[data-id]")].filter((node) => node.dataset.id === id);
  const node = here.find((one) => one.dataset.part === part) ?? here[0];
  if (!node) return focusRail(own, id);
  node.focus({ preventScroll: true });
  node.closest(".card, .column")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// The card went into a folded column: its head keeps the place.
function focusRail(own, id) {
  const card = cardOf(own, id);
  const state = card ? stateOf(own, card) : null;
  const head = [...own.lane.querySelectorAll(".head")].find((node) => node.dataset.id === state);
  head?.focus({ preventScroll: true });
}
