// The keyboard: what each key does, and the help that lists it.

import { dialog, h } from "./dom.js";
import { recall, remember } from "./store.js";

const LIST = [
  ["→", "next step"],
  ["←", "previous step"],
  ["↑  or  r", "repeat the step"],
  ["space", "play, pause, go on"],
  ["1 … 9", "a scene by its number"],
  ["0", "to the beginning"],
  ["w", "walk, watch or stills"],
  ["<  >", "slower, faster"],
  ["c", "captions"],
  ["m", "sound, where a film has a voice"],
  ["n", "the numbers of the step"],
  ["f", "full screen"],
  ["/", "search"],
  ["?", "this help"],
  ["Esc", "close"],
];

export function openHelp() {
  const box = h("input", { type: "checkbox", onchange: () => remember("keys", box.checked) });
  box.checked = recall("keys", true);
  dialog("Keys", [
    h("table", { class: "keys" }, h("tbody", {}, LIST.map(([key, what]) => h("tr", {}, h("th", { scope: "row" }, h("kbd", {}, key)), h("td", {}, what))))),
    h("label", { class: "check" }, box, " Use these keys"),
    h("p", { class: "fine" }, "Walk stops at the end of each step. Watch plays on. Stills show one picture a step and no motion."),
  ]);
}

let pointed = false; // the focus came with a click or a touch

document.addEventListener("pointerdown", () => { pointed = true; }, true);
document.addEventListener("keydown", (event) => { if (event.key === "Tab") pointed = false; }, true);

/** Who reached tabs or radio buttons with the keyboard moves in them by arrows; who clicked one goes on through the film. */
export const arrowsStay = () => !pointed;

/** Does the focused element need this key itself? */
function taken(event) {
  const target = event.target;
  if (!(target instanceof Element)) return false;
  if (document.querySelector("dialog[open]")) return true;
  const group = target.matches("input[type=radio], [role=tab]"); // it needs its arrows alone
  if (target.closest("input, select, textarea, [contenteditable]") && !group) return true;
  if (event.key === " ") return Boolean(target.closest("button, a, summary")) && (arrowsStay() || !group);
  if (event.key === "ArrowUp" && target.closest("[role=tabpanel]")) return true; // it scrolls
  if (event.key.startsWith("Arrow")) return group ? arrowsStay() : Boolean(target.closest("[role=slider], .scroll"));
  return false;
}

export function onKeys(actions) {
  const listen = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || taken(event)) return;
    if (!recall("keys", true) && event.key !== "?") return;
    const action = /^[0-9]$/.test(event.key) ? actions.digit && (() => actions.digit(Number(event.key))) : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };
  document.addEventListener("keydown", listen);
  return () => document.removeEventListener("keydown", listen);
}
