// The three ways to move a card: keys, the menu, and the pointer.

function cardKey(own, event) {
  const card = cardOf(own, event.target.dataset?.id);
  if (!card || event.target.dataset.part !== "open" || event.ctrlKey || event.metaKey) return;
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const sideways = step && getComputedStyle(own.box).direction === "rtl" ? -step : step;
  if (event.altKey && sideways) {
    event.preventDefault();
    stepBy(own, card, sideways);
  } else if (!event.altKey && /^Arrow/.test(event.key)) {
    event.preventDefault();
    walk(own, event.target, event.key, sideways);
  }
}

function stepBy(own, card, step) {
  const order = own.data.columns.map((column) => column.state);
  let at = order.indexOf(stateOf(own, card)) + step;
  while (order[at] && whyNot(own, card, order[at])) at += step;
  if (order[at]) moveTo(own, card, order[at]);
  else say(own, `${card.id} cannot go further ${step < 0 ? "left" : "right"}.`);
}

function walk(own, target, key, sideways) {
  const column = target.closest(".column");
  const inside = [...column.querySelectorAll(".open")];
  const at = inside.indexOf(target);
  if (!sideways) return inside[at + (key === "ArrowDown" ? 1 : -1)]?.focus();
  let next = column;
  do next = sideways > 0 ? next.nextElementSibling : next.previousElementSibling;
  while (next && !next.querySelector(".open"));
  const there = next ? [...next.querySelectorAll(".open")] : [];
  const node = there[Math.min(at, there.length - 1)];
  node?.focus();
  node?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function openMenu(own, card, button) {
  if (own.menu.matches(":popover-open")) return own.menu.hidePopover();
  const entry = (words, mark, act) => {
    const node = el("button", { type: "button", role: "menuitem", class: "entry", tabindex: "-1" });
    node.append(...(mark ? [mark] : []), el("span", { text: words }));
    node.onclick = () => {
      own.menu.hidePopover();
      button.focus();
      act();
    };
    return node;
  };
  const goals = own.data.columns.filter((column) => !whyNot(own, card, column.state));
  own.menu.setAttribute("aria-label", `Move or open ${card.id}`);
  own.menu.replaceChildren(
    entry("Open the room", null, () => tell(own, "open", card.id)),
    ...goals.map((column) => entry(`Move to ${column.label}`, stateRing(column.state), () => moveTo(own, card, column.state))),
  );
  if (!goals.length) own.menu.append(el("span", { class: "nowhere", text: "You cannot move it from here" }));
  own.menu.showPopover();
  const at = button.getBoundingClientRect();
  const size = own.menu.getBoundingClientRect();
  const below = at.bottom + 4 + size.height < window.innerHeight;
  own.menu.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - size.width - 8))}px`;
  own.menu.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - size.height - 4)}px`;
  own.menuButton = button;
  own.menu.querySelector(".entry").focus();
}

function menuKey(own, event) {
  const entries = [...own.menu.querySelectorAll(".entry")];
  const at = entries.indexOf(own.root.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[event.key];
  if (next !== undefined) entries[(next + entries.length) % entries.length].focus();
  else if (event.key === "Escape" || event.key === "Tab") {
    own.menu.hidePopover();
    own.menuButton?.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

function press(own, event) {
  const node = event.target.closest?.(".card");
  const card = node && cardOf(own, node.dataset.card);
  if (!card || event.button !== 0 || event.target.closest(".more") || own.moved.has(card.id)) return;
  own.justDragged = false;
  const touch = event.pointerType !== "mouse";
  const drag = (own.drag = { card, node, x: event.clientX, y: event.clientY, live: false, over: null });
  const hold = touch ? setTimeout(() => begin(own, drag), LONG_PRESS) : null;
  const onMove = (moved) => {
    if (moved.pointerId !== event.pointerId) return;
    const far = Math.hypot(moved.clientX - drag.x, moved.clientY - drag.y) > THRESHOLD;
    if (!drag.live && far && touch) return drag.end(false);
    if (!drag.live && far) begin(own, drag);
    if (drag.live) follow(own, drag, moved.clientX, moved.clientY);
  };
  const onUp = (up) => up.pointerId === event.pointerId && drag.end(up.type === "pointerup");
  const onKey = (pressed) => pressed.key === "Escape" && drag.end(false);
  drag.end = (dropped) => {
    clearTimeout(hold);
    window.removeEventListener("pointermove", onMove);
    window.removeEventListener("pointerup", onUp);
    window.removeEventListener("pointercancel", onUp);
    window.removeEventListener("keydown", onKey, true);
    finish(own, drag, dropped);
  };
  window.addEventListener("pointermove", onMove);
  window.addEventListener("pointerup", onUp);
  window.addEventListener("pointercancel", onUp);
  window.addEventListener("keydown", onKey, true);
}

function begin(own, drag) {
  const at = drag.node.getBoundingClientRect();
  drag.live = true;
  drag.dx = drag.x - at.left;
  drag.dy = drag.y - at.top;
  drag.ghost = el("div", { class: "ghost", popover: "manual", "aria-hidden": "true" });
  drag.ghost.append(drag.node.cloneNode(true));
  drag.ghost.style.width = `${at.width}px`;
  own.box.append(drag.ghost);
  drag.ghost.showPopover();
  drag.node.classList.add("lifted");
  own.box.classList.add("dragging");
  for (const column of own.lane.querySelectorAll(".column")) {
    const why = whyNot(own, drag.card, column.dataset.state);
    const home = column.dataset.state === drag.card.state;
    column.classList.toggle("closed", Boolean(why) && !home);
    column.classList.toggle("ready", !why);
    column.querySelector(".verdict").firstChild.textContent = home ? "" : (why ?? "Drop here");
  }
  follow(own, drag, drag.x, drag.y);
}

function follow(own, drag, x, y) {
  drag.ghost.style.left = `${x - drag.dx}px`;
  drag.ghost.style.top = `${y - drag.dy}px`;
  const lane = own.lane.getBoundingClientRect();
  if (x > lane.right - EDGE) own.lane.scrollLeft += 14;
  if (x < lane.left + EDGE) own.lane.scrollLeft -= 14;
  drag.over = null;
  for (const column of own.lane.querySelectorAll(".column")) {
    const at = column.getBoundingClientRect();
    const inside = x >= at.left && x <= at.right && y >= lane.top - EDGE && y <= lane.bottom + EDGE;
    column.classList.toggle("over", inside && column.classList.contains("ready"));
    if (inside) drag.over = column.dataset.state;
  }
}

function finish(own, drag, dropped) {
  own.drag = null;
  if (!drag.live) return;
  own.justDragged = true;
  setTimeout(() => (own.justDragged = false), 50);
  drag.ghost.remove();
  drag.node.classList.remove("lifted");
  own.box.classList.remove("dragging");
  for (const column of own.lane.querySelectorAll(".column")) column.classList.remove("closed", "ready", "over");
  const home = stateOf(own, drag.card);
  if (dropped && drag.over && drag.over !== home) moveTo(own, drag.card, drag.over);
  show(own);
}
