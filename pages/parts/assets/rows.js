const WIDE = 560;
const PHONE = "(max-width: 640px)";

export default function (component) {
  const own = mounted(component, "rows");
  if (!own.watch) {
    const phone = window.matchMedia(PHONE);
    // Each word to the page runs it again, which shuts a dialog that was opened meanwhile: only to those who ask.
    const tell = () => {
      if (!own.data.folds || phone.matches === own.narrow) return;
      if (own.narrow !== undefined || phone.matches) own.keep("narrow", phone.matches);
      own.narrow = phone.matches;
    };
    phone.addEventListener("change", tell);
    own.ended = () => phone.removeEventListener("change", tell);
    own.refocus = (place) => focusAgain(own, place);
    own.watch = new ResizeObserver(() => show(own));
    own.watch.observe(own.box);
    own.box.onkeydown = (event) => move(own, event);
    own.box.onfocusin = (event) => event.target.dataset.id && rove(own, event.target.dataset.id);
    tell();
  }
  if (own.data.selected !== own.given) own.chosen = own.given = own.data.selected;
  takeMarks(own);
  show(own);
  return own.close;
}

function show(own) {
  const wide = own.box.clientWidth >= WIDE;
  redraw(own, [wide], () => {
    own.last = own.order?.indexOf(own.current) ?? 0;
    own.order = own.data.items.map((item) => item.id);
    const list = el("ul", { class: wide ? "list wide" : "list", "aria-label": own.data.label });
    list.append(...own.data.items.map((item) => row(own, item, wide)));
    list.style.setProperty("--digits", Math.max(...own.data.items.map((item) => String(item.rank ?? "").length)));
    own.box.replaceChildren(list, hint(own));
    choose(own, own.chosen);
    rove(own, own.order.includes(own.current) ? own.current : (own.chosen ?? own.order[0]));
  });
}

const keys = (...names) => names.map((name) => el("kbd", { text: name }));

function hint(own) {
  const told = [[["↑", "↓"], "move"], [["Enter"], "open"]];
  for (const [key, command] of Object.entries(own.data.commands ?? {})) told.push([[key.toUpperCase()], command.label]);
  if (own.data.marks) told.push([["X"], "mark"]);
  const parts = told.map(([names, words]) => el("span", {}, ...keys(...names), words));
  return el("p", { class: "hint", "aria-hidden": "true" }, ...parts);
}

function row(own, item, wide) {
  const plain = own.data.plain;
  const status = el("span", { class: "status" });
  if (item.state) status.append(stateMark(item.state));
  if (item.clock && !plain) status.append(clockMark(item.clock, own));
  const meta = el("span", { class: "meta" });
  if (!wide && status.firstChild) meta.append(...status.childNodes);
  if (item.reference !== null) meta.append(el("span", { class: "reference", text: item.id }));
  meta.append(...(item.meta ?? []).map((text) => el("span", { class: "fact", dir: "auto", text })));

  const body = el("span", { class: "body" });
  body.append(
    el("button", {
      type: "button",
      class: "open",
      dir: "auto",
      text: item.title,
      "data-id": item.id,
      "data-part": "open",
      onclick: () => fire(own, "select", item.id),
    }),
  );
  if (item.explanation) body.append(el("span", { class: "why", dir: "auto", text: item.explanation }));
  body.append(meta);

  const node = el("li", { class: own.marks?.has(item.id) ? "row marked" : "row", "data-row": item.id });
  if (own.data.marks) node.append(markBox(own, item));
  if (item.rank !== null && item.rank !== undefined) {
    const place = el("span", { class: "unseen", text: "Rank " });
    node.append(el("span", { class: "rank" }, place, String(item.rank)));
  }
  if (item.priority && !plain) node.append(chip(item.priority, false));
  node.append(body);
  if (wide && status.firstChild) node.append(status);
  const end = wide ? node : meta;
  if ("person" in item) end.append(avatar(item.person));
  if (item.action) {
    const words = el("span", { class: "unseen", text: `: ${item.title}` });
    const act = { type: "button", class: "act", "data-id": item.id, "data-part": "act" };
    end.append(el("button", { ...act, onclick: () => fire(own, "action", item.id) }, item.action, words));
  }
  return node;
}

function fire(own, kind, id, name) {
  if (kind === "select" && own.given !== null) choose(own, id);
  rove(own, id);
  own.trigger("event", { kind, id, name });
}

function markBox(own, item) {
  const input = { type: "checkbox", "data-id": item.id, "data-part": "mark", "aria-label": `Mark ${item.id}` };
  const box = el("input", { ...input, onchange: () => mark(own, item.id) });
  box.checked = own.marks.has(item.id);
  return el("label", { class: "mark" }, box);
}

function mark(own, id) {
  own.marks.has(id) ? own.marks.delete(id) : own.marks.add(id);
  const node = own.box.querySelector(`.row[data-row="${CSS.escape(id)}"]`);
  node?.classList.toggle("marked", own.marks.has(id));
  const box = node?.querySelector(".mark input");
  if (box) box.checked = own.marks.has(id);
  own.keep("marked", { turn: own.turn, ids: [...own.marks].sort() });
}

// The server sets the marks by a new turn. What has left the list stays marked: the change says what became of it.
function takeMarks(own) {
  if (!own.data.marks || own.data.marks.turn === own.turn) return;
  own.turn = own.data.marks.turn;
  own.marks = new Set(own.data.marks.ids);
  own.drawn = null;
}

function choose(own, id) {
  own.chosen = id;
  for (const node of own.box.querySelectorAll(".row")) {
    const here = node.dataset.row === id;
    node.classList.toggle("chosen", here);
    node.querySelector(".open").toggleAttribute("aria-current", here);
    if (here) node.querySelector(".open").setAttribute("aria-current", "true");
  }
}

// The list is one stop for Tab: only the current row's buttons can be reached, arrows change the row.
function rove(own, id) {
  own.current = id;
  for (const node of own.box.querySelectorAll("button, input")) node.tabIndex = node.dataset.id === id ? 0 : -1;
}

function move(own, event) {
  const target = event.target;
  if (!target.dataset?.id || event.ctrlKey || event.metaKey || event.altKey) return;
  const command = own.data.commands?.[event.key.toLowerCase()];
  if (command || (own.data.marks && event.key === "x")) {
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat) return;
    return command ? fire(own, "command", target.dataset.id, command.name) : mark(own, target.dataset.id);
  }
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  const at = own.order.indexOf(target.dataset.id);
  let next = step === undefined ? null : at + step;
  if (event.key === "Home") next = 0;
  if (event.key === "End") next = own.order.length - 1;
  if (next === null) return;
  event.preventDefault();
  event.stopPropagation();
  find(own, own.order[Math.min(Math.max(next, 0), own.order.length - 1)], "open")?.focus();
}

function find(own, id, part) {
  const here = [...own.box.querySelectorAll("button, input")].filter((node) => node.dataset.id === id);
  return here.find((node) => node.dataset.part === part) ?? here.find((node) => node.dataset.part === "open");
}

function focusAgain(own, place) {
  const gone = !own.order.includes(place.id);
  const id = gone ? own.order[Math.min(Math.max(own.last, 0), own.order.length - 1)] : place.id;
  find(own, id, place.part)?.focus({ preventScroll: true });
}
