export default function (component) {
  const own = mounted(component, "empty");
  redraw(own, null, () => {
    const next = own.data.next ? [el("p", { class: "next", dir: "auto", text: own.data.next })] : [];
    own.box.replaceChildren(el("p", { class: "sentence", dir: "auto", text: own.data.sentence }), ...next);
  });
  return own.close;
}
