// Panels of which one is seen, as the ARIA practices describe tabs: arrows move, the panel follows.

import { h } from "./dom.js";
import { arrowsStay } from "./keys.js";

export function tabs(label, panels) {
  const buttons = panels.map(({ name }, index) =>
    h("button", { type: "button", role: "tab", id: `tab-${index}`, "aria-controls": `panel-${index}`, onclick: () => choose(index) }, name));
  const sheets = panels.map(({ element }, index) =>
    h("div", { role: "tabpanel", class: "panel", id: `panel-${index}`, "aria-labelledby": `tab-${index}`, tabindex: "0" }, element));
  const list = h("div", { role: "tablist", "aria-label": label }, buttons);
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -buttons.length, End: buttons.length }[event.key];
    if (!step || !arrowsStay()) return;
    event.preventDefault();
    const at = buttons.indexOf(document.activeElement);
    const next = Math.abs(step) > 1 ? (step < 0 ? 0 : buttons.length - 1) : (at + step + buttons.length) % buttons.length;
    choose(next);
    buttons[next].focus();
  });
  function choose(index) {
    buttons.forEach((button, at) => {
      button.setAttribute("aria-selected", at === index);
      button.tabIndex = at === index ? 0 : -1;
      sheets[at].hidden = at !== index;
    });
    panels[index].shown?.();
  }
  choose(0);
  return {
    element: h("aside", { class: "side", "aria-label": label }, list, sheets),
    open: (name) => {
      const index = panels.findIndex((panel) => panel.name === name);
      choose(index);
      buttons[index].focus();
    },
  };
}
