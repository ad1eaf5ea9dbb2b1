const SOON = 10 * MINUTE;

export default function (component) {
  const own = mounted(component, "head");
  redraw(own, null, () => {
    const data = own.data;
    const marks = el("div", { class: "marks" }, el("span", { class: "reference", text: data.number }));
    if (data.priority) marks.append(chip(data.priority, true));
    if (data.state) marks.append(stateMark(data.state));
    marks.append(...data.flags.map((flag) => el("span", { class: `flag ${flag.kind}`, text: flag.label })));
    const top = el("div", { class: "top" }, marks, el("h1", { dir: "auto", text: data.title }));
    if (data.caption.length) top.append(caption(data.caption));
    const facts = data.facts.map((fact) => cell(fact, own));
    own.box.replaceChildren(top, ...(facts.length ? [el("dl", { class: "facts" }, ...facts)] : []));
  });
  return own.close;
}

function caption(parts) {
  const line = el("p", { class: "caption" });
  parts.forEach((text, place) => {
    if (place) line.append(" · ");
    line.append(el("bdi", { text }));
  });
  return line;
}

function cell(fact, own) {
  const value = el("dd", { class: "value", dir: "auto" });
  const node = el("div", { class: "cell" }, el("dt", { text: fact.label }), value);
  if (fact.tone) node.dataset.tone = fact.tone;
  if ("person" in fact) {
    value.append(avatar(fact.person), el("span", { class: "name", "aria-hidden": "true", text: fact.person || "Nobody yet" }));
    value.classList.add("who");
  } else if (fact.due) {
    counting(node, value, fact, own);
  } else {
    value.textContent = fact.value ?? "–";
    if (typeof fact.share === "number") {
      const barNode = bar();
      fill(barNode, fact.share);
      node.append(el("dd", { class: "measure" }, barNode));
    }
  }
  return node;
}

function counting(node, value, fact, own) {
  const due = Date.parse(fact.due);
  const from = own.now();
  const measured = typeof fact.share === "number";
  const barNode = measured ? bar() : null;
  const words = el("span", { class: "words" });
  value.classList.add("due");
  value.append(words);
  value.title = `Due ${exactly(due)}`;
  if (measured) node.append(el("dd", { class: "measure" }, barNode));
  const tick = () => {
    const now = own.now();
    const said = reading({ due: fact.due, share: fact.share, paused: fact.paused }, now, from);
    let tone = said.tone;
    if (!measured && !fact.paused) {
      if (now < due) said.words = `in ${duration(due - now)}`;
      if (tone !== "late" && due - now <= SOON) tone = "warning";
    }
    if (fact.tone) tone = fact.tone;
    if (node.dataset.tone !== tone) node.dataset.tone = tone;
    if (words.textContent !== said.words) words.textContent = said.words;
    node.classList.toggle("filled", !measured || tone === "late");
    if (measured) fill(barNode, said.share);
  };
  tick();
  own.ticks.push(tick);
}
