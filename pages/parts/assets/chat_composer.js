function composer(own) {
  own.draftName = `incident-desk.room.${own.data.number}`;
  own.words = el("textarea", {
    rows: 1,
    placeholder: "Write to the room",
    "aria-label": "Write to the room",
    dir: "auto",
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": "names",
  });
  own.words.value = sessionStorage.getItem(own.draftName) ?? "";
  own.words.oninput = () => typed(own);
  own.words.onkeydown = (event) => key(own, event);
  own.words.onpaste = (event) => pick(own, event.clipboardData.files[0], event);
  own.picker = el("input", { type: "file", class: "unseen", tabindex: -1, "aria-hidden": "true" });
  own.picker.onchange = () => pick(own, own.picker.files[0]);
  const clip = shape("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, shape("path", { d: "M11 5.5l-4.6 4.6a1.6 1.6 0 0 0 2.3 2.3l5-5a3 3 0 0 0-4.3-4.3l-5 5a4.4 4.4 0 0 0 6.2 6.2L14 11", ...ROUND }));
  const up = shape("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, shape("path", { d: "M8 13V3.5M4 7.2L8 3.2l4 4", ...ROUND }));
  const add = el("button", { type: "button", class: "add", "aria-label": "Add a picture or file", title: "Add a picture or file", onclick: () => own.picker.click() }, clip);
  own.send = el("button", { type: "submit", class: "send", "aria-label": "Send", title: "Send (Enter)" }, up);
  own.about = el("p", { class: "about", hidden: true });
  own.wrong = el("p", { class: "wrong", role: "alert", hidden: true });
  own.names = el("ul", { class: "names", id: "names", role: "listbox", "aria-label": "People", hidden: true });
  own.form = el("form", { class: "composer" }, own.names, own.about, el("div", { class: "line" }, own.words, own.picker, add, own.send), own.wrong);
  own.form.onsubmit = (event) => {
    event.preventDefault();
    send(own);
  };
  own.box.ondragover = (event) => event.preventDefault();
  own.box.ondrop = (event) => pick(own, event.dataTransfer.files[0], event);
  requestAnimationFrame(() => grow(own));
}

function typed(own) {
  if (own.doing?.name !== "edit") sessionStorage.setItem(own.draftName, own.words.value);
  grow(own);
  suggest(own);
}

function grow(own) {
  own.words.style.height = "auto";
  own.words.style.height = `${Math.min(own.words.scrollHeight + 2, TALLEST)}px`;
}

function key(own, event) {
  if (!own.names.hidden && nameKey(own, event)) return event.preventDefault();
  if (event.key === "Escape" && own.doing) return leaveAbout(own);
  const touch = matchMedia("(hover: none) and (pointer: coarse)").matches;
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || touch) return;
  event.preventDefault();
  send(own);
}

function pick(own, chosen, event) {
  if (!chosen || !own.data.may) return;
  event?.preventDefault();
  own.picked = chosen;
  own.picker.value = "";
  showAbout(own);
  own.words.focus();
}

// What the words are about: a reply, an edit, a file that goes with them.
function about(own, name, message) {
  own.doing = { name, message };
  if (name === "edit") own.words.value = message.text;
  showAbout(own);
  grow(own);
  own.words.focus();
}

function leaveAbout(own) {
  if (own.doing?.name === "edit") own.words.value = sessionStorage.getItem(own.draftName) ?? "";
  own.doing = own.picked = null;
  showAbout(own);
  grow(own);
  own.words.focus();
}

function showAbout(own) {
  const told = [];
  if (own.doing?.name === "reply") told.push(`Reply to ${own.doing.message.who}: ${own.doing.message.text || own.doing.message.file?.name || ""}`);
  if (own.doing?.name === "edit") told.push("Edit your message");
  if (own.picked) told.push(`With ${own.picked.name}`);
  own.about.hidden = !told.length;
  const off = el("button", { type: "button", "aria-label": "Leave it", text: "✕", onclick: () => leaveAbout(own) });
  own.about.replaceChildren(el("span", { class: "fact", text: told.join(" · ") }), off);
}

async function send(own) {
  const text = own.words.value;
  if (own.sending || (!text.trim() && !own.picked)) return;
  own.sending = own.send.disabled = true;
  const { doing, picked } = own;
  own.token ??= crypto.randomUUID?.() ?? `${Date.now()}.${Math.random()}`;
  const sent =
    doing?.name === "edit"
      ? await post(own, `messages/${doing.message.id}/edit`, { text })
      : await post(own, "messages", { text, token: own.token, ...(doing ? { reply_to: doing.message.id } : {}) }, picked);
  own.sending = own.send.disabled = false;
  if (!sent) return;
  own.token = null;
  if (doing?.name !== "edit") {
    // What was typed while it was on its way stays.
    const rest = own.words.value === text ? "" : own.words.value.startsWith(text) ? own.words.value.slice(text.length) : own.words.value;
    own.words.value = rest;
    rest ? sessionStorage.setItem(own.draftName, rest) : sessionStorage.removeItem(own.draftName);
    own.doing = own.picked = null;
    showAbout(own);
    grow(own);
  } else leaveAbout(own);
}

// Names behind an '@', while the cursor stands behind it.
function suggest(own) {
  const before = own.words.value.slice(0, own.words.selectionStart);
  const found = before.match(/(?:^|[^\w@])@([^\s@][^@\n]{0,40})?$/u);
  const asked = (found?.[1] ?? "").toLocaleLowerCase();
  const fits = found ? own.data.people.filter((name) => name.toLocaleLowerCase().includes(asked) && name.toLocaleLowerCase() !== asked).slice(0, 6) : [];
  own.from = found ? before.length - asked.length : 0;
  own.names.replaceChildren(...fits.map((name, place) => el("li", { role: "option", id: `name-${place}`, onmousedown: (event) => (event.preventDefault(), takeName(own, name)) }, avatar(name), el("bdi", { text: name }))));
  own.chosen = 0;
  showNames(own, fits.length > 0);
}

function showNames(own, open) {
  own.names.hidden = !open;
  own.words.setAttribute("aria-expanded", String(open));
  [...own.names.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === own.chosen)));
  if (open) own.words.setAttribute("aria-activedescendant", `name-${own.chosen}`);
  else own.words.removeAttribute("aria-activedescendant");
}

function nameKey(own, event) {
  const many = own.names.children.length;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) own.chosen = (own.chosen + step + many) % many;
  else if (event.key === "Enter" || event.key === "Tab") takeName(own, own.names.children[own.chosen].querySelector("bdi").textContent);
  else if (event.key !== "Escape") return false;
  showNames(own, Boolean(step));
  return true;
}

function takeName(own, name) {
  const end = own.words.selectionStart;
  own.words.setRangeText(`${name} `, own.from, end, "end");
  showNames(own, false);
  typed(own);
}
