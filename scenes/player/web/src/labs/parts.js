// What labs share: a slider with its value, a choice, a row of bars.

import { h } from "../dom.js";

export function slider(label, { min, max, value, step = 1, show = String, oninput }) {
  const output = h("output", {}, show(value));
  const input = h("input", { type: "range", min, max, step, value, oninput: () => {
    output.textContent = show(Number(input.value));
    oninput(Number(input.value));
  } });
  const element = h("label", { class: "knob-field" }, h("span", {}, label), input, output);
  return {
    element,
    input,
    set: (given) => {
      input.value = given;
      output.textContent = show(Number(input.value));
    },
  };
}

export function choice(label, options, value, onchange) {
  const select = h("select", { onchange: () => onchange(select.value) }, options.map(([key, name]) => h("option", { value: key }, name)));
  select.value = value;
  return { element: h("label", { class: "field" }, `${label} `, select), input: select };
}

export function checkbox(label, checked, onchange) {
  const input = h("input", { type: "checkbox", onchange: () => onchange(input.checked) });
  input.checked = checked;
  return { element: h("label", { class: "check" }, input, ` ${label}`), input };
}

/** A horizontal bar with its name and value: share 0…1 of the room. */
export function bar(name, share, text, kind = "") {
  return h("li", { class: `barrow ${kind}` }, h("span", { class: "barname" }, name),
    h("span", { class: "bartrack" }, h("span", { class: "barfill", style: { width: `${100 * Math.min(Math.max(share, 0), 1)}%` } })), h("code", {}, text));
}
