// Shows the page's slide alone on the screen, as large as fits, and turns it by keys. What a slide says comes from the server;
// turning asks for the next one. Texts enter the page through textContent only.

const WIDTH = 960;
const HEIGHT = 540;
const STEP = 1.1; // of one press of + or −
const RESTS = 2000; // milliseconds after which a pointer that is not moved hides

let shown = null; // the mounted bar: its element, its data and how it answers
let zoom = 1;
let wanted = null; // asked for and not yet there: fast presses add up
let frame = 0; // in which the slide is fitted next

// In each frame, because Streamlit exchanges the slide, what it holds, and their sizes when it likes.
function fit() {
  const root = document.documentElement;
  const slide = document.querySelector(".st-key-slide");
  const high = Math.max(HEIGHT, slide?.offsetHeight ?? 0); // a slide that holds more is smaller: nothing of it is cut off
  const scale = zoom * Math.min(root.clientWidth / WIDTH, root.clientHeight / high);
  const middle = (room, size) => `${Math.max(0, (room - size * scale) / 2)}px`;
  const place = { zoom: String(scale), left: middle(root.clientWidth, WIDTH), top: middle(root.clientHeight, high) };
  for (const [name, value] of Object.entries(place)) {
    if (root.style.getPropertyValue(`--present-${name}`) !== value) root.style.setProperty(`--present-${name}`, value);
  }
  frame = requestAnimationFrame(fit);
}

function turn(to) {
  const last = shown.data.slides - 1;
  const at = Math.max(0, Math.min(last, to));
  if (at === (wanted ?? shown.data.at)) return;
  wanted = at;
  shown.send("turn", at);
}

// A pointer that lies somewhere would mark whatever row or point each slide has there.
let resting = 0;
let pointed = "";

function rest() {
  clearTimeout(resting);
  document.documentElement.classList.add("present-resting");
}

function moved({ screenX, screenY }) {
  const at = `${screenX} ${screenY}`;
  if (at === pointed) return; // browsers also tell of a slide that moves under the pointer
  pointed = at;
  clearTimeout(resting);
  resting = setTimeout(rest, RESTS);
  document.documentElement.classList.remove("present-resting");
}

const ACTIONS = {
  next: () => turn((wanted ?? shown.data.at) + 1),
  before: () => turn((wanted ?? shown.data.at) - 1),
  first: () => turn(0),
  last: () => turn(shown.data.slides - 1),
  black: () => document.documentElement.classList.toggle("present-black"),
  remarks: () => document.documentElement.classList.toggle("present-remarks"),
  larger: () => resize(zoom * STEP),
  smaller: () => resize(zoom / STEP),
  usual: () => resize(1),
  deeper: () => document.querySelector(".st-key-present_deeper button")?.click(),
  full: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen?.()),
  leave: () => shown.send("leave", true),
};

const KEYS = {
  ArrowRight: "next",
  ArrowDown: "next",
  PageDown: "next",
  " ": "next",
  ArrowLeft: "before",
  ArrowUp: "before",
  PageUp: "before",
  Home: "first",
  End: "last",
  b: "black",
  ".": "black",
  n: "remarks",
  "+": "larger",
  "=": "larger",
  "-": "smaller",
  0: "usual",
  d: "deeper",
  f: "full",
  Escape: "leave",
};

function resize(to) {
  zoom = Math.max(0.5, Math.min(3, to));
}

function pressed(event) {
  if (!shown || event.ctrlKey || event.metaKey || event.altKey) return;
  // The event of a component comes from its host: what was typed into is first on its way.
  const on = event.composedPath()[0];
  if (on instanceof HTMLElement && (on.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(on.tagName))) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // Space and Enter press the button that has the focus.
  if (key === " " && on instanceof HTMLElement && /^(BUTTON|A|SUMMARY)$/.test(on.tagName)) return;
  const action = KEYS[key];
  if (!action || (key === "Escape" && document.fullscreenElement)) return;
  event.preventDefault();
  event.stopPropagation();
  rest();
  if (document.documentElement.classList.contains("present-black") && action !== "black") {
    ACTIONS.black(); // whatever key is pressed, the picture comes back first
    return;
  }
  ACTIONS[action]();
}

function end() {
  shown = null;
  wanted = null;
  window.removeEventListener("keydown", pressed, true);
  window.removeEventListener("pointermove", moved, true);
  clearTimeout(resting);
  cancelAnimationFrame(frame);
  document.documentElement.classList.remove("presenting", "present-black", "present-remarks", "present-resting");
}

export default function ({ parentElement, data, setTriggerValue }) {
  const bar = parentElement.querySelector(".present-bar");
  if (!shown) {
    window.addEventListener("keydown", pressed, true);
    window.addEventListener("pointermove", moved, true);
    rest();
    fit();
    document.documentElement.classList.add("presenting");
  }
  shown = { bar, data, send: setTriggerValue };
  if (wanted === data.at) wanted = null;
  bar.replaceChildren(
    ...data.buttons.map(({ action, label, sign, off }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = sign;
      button.title = label;
      button.setAttribute("aria-label", label);
      button.disabled = off;
      button.addEventListener("click", () => ACTIONS[action]());
      return button;
    }),
  );
  return () => {
    if (shown?.bar === bar) end();
  };
}
