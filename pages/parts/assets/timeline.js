export default function (component) {
  const own = mounted(component, "timeline");
  const today = new Date(own.now()).toDateString();
  redraw(own, today, () => {
    own.box.replaceChildren(...days(own).map((day) => group(own, day)));
  });
  return own.close;
}

function days(own) {
  const found = [];
  for (const entry of own.data.entries) {
    const moment = new Date(entry.at);
    const name = moment.toDateString();
    if (found.at(-1)?.name !== name) found.push({ name, moment, entries: [] });
    found.at(-1).entries.push(entry);
  }
  return found;
}

function dayWords(own, moment) {
  const now = new Date(own.now());
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (moment.toDateString() === now.toDateString()) return "Today";
  if (moment.toDateString() === yesterday.toDateString()) return "Yesterday";
  const year = moment.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
  const parts = { weekday: "short", day: "numeric", month: "short", ...year };
  return new Intl.DateTimeFormat("en-GB", parts).format(moment);
}

function group(own, day) {
  const words = dayWords(own, day.moment);
  const list = el("ol", { "aria-label": `${own.data.label}, ${words}` }, ...day.entries.map(line));
  return el("div", { class: "group" }, el("p", { class: "day", "aria-hidden": "true", text: words }), list);
}

function line(entry) {
  const moment = new Date(entry.at);
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(moment);
  const time = el("time", { datetime: entry.at, title: exactly(moment.getTime()), text: clock });
  const text = el("p", { class: "text", dir: "auto" });
  if (entry.who) text.append(el("strong", {}, el("bdi", { text: entry.who })), " ");
  text.append(entry.text);
  if (entry.note) text.append(" ", el("span", { class: "note", text: entry.note }));
  const body = el("div", { class: "body" }, text);
  if (entry.detail) body.append(el("blockquote", { dir: "auto", text: entry.detail }));
  const dot = el("span", { class: `dot ${entry.tone ?? "open"}`, "aria-hidden": "true" });
  return el("li", { class: "entry" }, time, dot, body);
}
