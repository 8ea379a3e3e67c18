// A lab beside a lecture, or by itself at #try/<name>. Its script comes when it is opened, and calls explainLab.

import { load } from "./data.js";
import { h, replace } from "./dom.js";
import { scalesInUse } from "./heat.js";

let script = null;

export function openLab(place, name) {
  if (place.dataset.open) return;
  place.dataset.open = "yes";
  script ??= new Promise((done, failed) => {
    const element = document.createElement("script");
    element.src = "assets/labs.js";
    element.onload = done;
    element.onerror = () => failed(new Error("assets/labs.js could not be loaded"));
    document.head.append(element);
  });
  script
    .then(() => globalThis.explainLab(place, name, { load, scales: scalesInUse() }))
    .catch((error) => replace(place, h("p", { role: "alert" }, error.message)));
}

export function showLab(main, lab) {
  const place = h("div", { class: "lab" }, h("p", { class: "fine" }, "Loading…"));
  replace(main, h("section", { class: "try" }, h("h1", {}, lab.title), place));
  openLab(place, lab.name);
}
