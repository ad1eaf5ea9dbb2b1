"""When a window has everything it asked the app for: clicks and keys are answered a moment later, and may be twice."""

from playwright.sync_api import BrowserContext

# A screen says that its script does not run both before the app has heard of a click and after it has answered it.
# What people do and what goes over the websocket tell them apart: a press, a request soon after it or none, the run
# that begins after that, and its end. Messages are protobuf; of each only the number of its field is read (BackMsg and
# ForwardMsg in streamlit/proto).
_WATCH = """(() => {
  const RERUN = 11, BEGINS = 4, ENDS = 6, ENDS_FOR_ANOTHER = 2;
  const heard = new WeakSet();
  let asked = 0, begun = 0, ended = 0, turn = 0;
  // Twice idle, the first time after the 10 ms for which Streamlit gathers what people did, and what it is to draw.
  const later = (then) => setTimeout(() => requestIdleCallback(() => setTimeout(() => requestIdleCallback(then))), 30);
  const say = (word) => { document.documentElement.dataset.asked = word; };
  const settle = () => {
    const mine = ++turn;
    say("waiting");
    later(() => { if (mine === turn && asked && ended === asked) say("answered"); });
  };
  for (const done of ["pointerup", "click", "keydown", "input", "change", "focusout", "popstate"])
    addEventListener(done, settle, true);
  const fields = (given) => {
    const bytes = new Uint8Array(given.buffer ?? given, given.byteOffset ?? 0, given.byteLength), found = new Map();
    let at = 0;
    const number = () => {
      for (let value = 0, unit = 1; ; unit *= 128) {
        const byte = bytes[at++];
        value += (byte & 127) * unit;
        if (byte < 128) return value;
      }
    };
    while (at < bytes.length) {
      const tag = number(), value = number();
      found.set(tag >> 3, value);
      if ((tag & 7) === 2) at += value;
    }
    return found;
  };
  const hear = ({ data }) => {
    const told = fields(data);
    if (told.has(BEGINS)) begun = asked;
    if (!told.has(ENDS) || told.get(ENDS) === ENDS_FOR_ANOTHER || begun !== asked) return;
    ended = asked;
    settle();
  };
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    if (!heard.has(this)) {
      heard.add(this);
      this.addEventListener("message", hear);
    }
    if (fields(data).has(RERUN)) {
      asked += 1;
      say("waiting");
    }
    return send.call(this, data);
  };
})()"""
ANSWERED = 'html[data-asked="answered"] [data-testid="stApp"][data-test-script-state="notRunning"]'
"""where the window of a watched context has its answer, and has drawn it"""


def watch(context: BrowserContext) -> BrowserContext:
    """Let every page of this context say when it is ANSWERED."""
    context.add_init_script(_WATCH)
    return context
