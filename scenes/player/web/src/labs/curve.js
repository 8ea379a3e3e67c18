// A small chart: shares from 0 to 1 over a whole number from 0 to the last, one line each, and where one stands.

import { h, svg } from "../dom.js";

const WIDE = 400;
const HIGH = 150;

/** `lines`: {name, kind, values}; the one numbered `chosen` carries the dot. */
export function curve(lines, at, chosen) {
  const last = lines[0].values.length - 1;
  const x = (index) => (WIDE * index) / last;
  const y = (share) => HIGH * (1 - share);
  const path = (values) => values.map((share, index) => `${index ? "L" : "M"}${x(index).toFixed(1)} ${y(share).toFixed(1)}`).join("");
  const said = lines.map(({ name, values }) => `${name} ${(100 * values[at]).toFixed(0)} %`).join(", ");
  const drawing = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img", "aria-label": `Energy that comes back from ${at} of ${last} numbers: ${said}` },
    [0.25, 0.5, 0.75].map((share) => svg("path", { class: "rule", d: `M0 ${y(share)}H${WIDE}` })),
    svg("path", { class: "rule at", d: `M${x(at)} 0V${HIGH}` }),
    lines.map(({ kind, values }, index) => svg("path", { class: `line ${kind}${index === chosen ? " chosen" : ""}`, d: path(values) })));
  const dot = h("span", { class: "curve-dot", style: { left: `${(100 * at) / last}%`, top: `${100 * (1 - lines[chosen].values[at])}%` } });
  return h("div", { class: "curve" },
    h("div", { class: "curve-scale", "aria-hidden": "true" }, ["100 %", "50 %", "0 %"].map((mark) => h("span", {}, mark))),
    h("div", { class: "curve-room" }, drawing, dot),
    h("div", { class: "curve-under", "aria-hidden": "true" }, h("span", {}, "0"), h("span", {}, "numbers kept"), h("span", {}, String(last))),
    h("ul", { class: "curve-key" }, lines.map(({ name, kind, values }) => h("li", { class: kind }, h("i", { "aria-hidden": "true" }), `${name}: ${(100 * values[at]).toFixed(0)} %`))));
}
