// An array as a band: a row for each token, a cell for each number, as wide as its numbers are many.

import { shortNumber } from "../arrays.js";
import { h } from "../dom.js";
import { bar, cellAt, colourOf } from "../heat.js";

const NAMED = 20; // rows up to which tokens stand beside them

/** `full` cells fill the width; `of(column)` names a cell. */
export function strip(rows, { name, tokens, full, scale, of }) {
  const width = rows[0].length;
  const canvas = h("canvas", { width, height: rows.length, role: "img", "aria-label": `${name}: ${rows.length} × ${width} numbers` });
  const paint = canvas.getContext("2d");
  rows.forEach((row, y) => row.forEach((value, x) => {
    paint.fillStyle = colourOf(scale, value);
    paint.fillRect(x, y, 1, 1);
  }));
  const named = rows.length <= NAMED;
  Object.assign(canvas.style, { width: `${(100 * width) / full}%`, minWidth: "3px", height: `${rows.length * (named ? 16 : 5)}px` });
  const under = h("span", { "aria-hidden": "true" });
  canvas.addEventListener("pointermove", (event) => {
    const [y, x] = cellAt(event, rows.length, width);
    under.textContent = `${tokens[y]} · ${of(x)} · ${shortNumber(rows[y][x])}`;
  });
  canvas.addEventListener("pointerleave", () => { under.textContent = ""; });
  return h("figure", { class: "strip" },
    h("figcaption", {}, name),
    h("div", { class: "strip-rows" },
      named ? h("div", { class: "strip-names", "aria-hidden": "true" }, tokens.map((token) => h("span", {}, token))) : null,
      h("div", { class: "strip-cells" }, canvas)),
    h("div", { class: "strip-foot" }, bar(scale, ""), under));
}
