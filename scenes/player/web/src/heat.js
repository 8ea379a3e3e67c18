// A heat map on a canvas, in the films' own scales of magnitude, with its colour bar.

import { shortNumber } from "./arrays.js";
import { h } from "./dom.js";

let scales = null;

export function useScales(given) {
  scales = given;
}

export const scalesInUse = () => scales;

function bounds(rows) {
  let low = Infinity;
  let high = -Infinity;
  for (const row of rows) for (const value of row) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return Number.isFinite(low) ? [low, high] : [0, 0];
}

/** How values become colours: signed data on two arms about zero, others from zero (or from the least, if far away). */
export function colouring(rows, tables = scales) {
  const [low, high] = bounds(rows);
  if (low < 0) {
    const reach = Math.max(-low, high) || 1;
    return { table: tables.diverging, from: -reach, to: reach };
  }
  return { table: tables.sequential, from: low > high / 2 ? low : 0, to: high || 1 };
}

export function colourOf({ table, from, to }, value) {
  const share = Number.isFinite(value) ? (value - from) / (to - from || 1) : 0;
  return table[Math.round(Math.min(Math.max(share, 0), 1) * (table.length - 1))];
}

export function heatMap(rows, { rowAxis, columnAxis, name, unit, spot, rowLabel, columnLabel }) {
  const height = rows.length;
  const width = rows[0].length;
  const cell = Math.max(2, Math.min(28, Math.floor(620 / width), height > 1 ? Math.floor(360 / height) : 28));
  const canvas = h("canvas", { width: width * cell, height: height * cell, role: "img",
    "aria-label": `Heat map of ${name}: ${height} × ${width} values${rowAxis ? `, rows are ${rowAxis}` : ""}${columnAxis ? `, columns are ${columnAxis}` : ""}` });
  const paint = canvas.getContext("2d");
  const scale = colouring(rows);
  const gap = cell >= 8 ? 1 : 0;
  rows.forEach((row, i) => row.forEach((value, j) => {
    paint.fillStyle = colourOf(scale, value);
    paint.fillRect(j * cell, i * cell, cell - gap, cell - gap);
    if (!Number.isFinite(value) && cell >= 6) {
      paint.strokeStyle = "#8D99A8";
      paint.beginPath();
      paint.moveTo(j * cell + 2, i * cell + 2);
      paint.lineTo((j + 1) * cell - 3, (i + 1) * cell - 3);
      paint.stroke();
    }
  }));
  if (spot) {
    paint.strokeStyle = "#FFE873";
    paint.lineWidth = 2;
    paint.strokeRect(spot[1] * cell, spot[0] * cell, Math.max(cell, 6), Math.max(cell, 6));
  }
  const under = h("p", { class: "fine under", "aria-hidden": "true" }, "\u00a0");
  canvas.addEventListener("pointermove", (event) => {
    const [i, j] = cellAt(event, height, width);
    under.textContent = [rowAxis && `${rowAxis} ${rowLabel(i)}`, columnAxis && `${columnAxis} ${columnLabel(j)}`, `${shortNumber(rows[i][j])} ${unit}`.trim()].filter(Boolean).join(" · ");
  });
  return h("figure", { class: "heat" }, canvas, bar(scale, unit), under);
}

/** Row and column of the cell under the pointer, of a picture of so many. */
export function cellAt({ currentTarget, clientX, clientY }, rows, columns) {
  const box = currentTarget.getBoundingClientRect();
  const at = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
  return [at((clientY - box.top) / box.height, rows), at((clientX - box.left) / box.width, columns)];
}

export function bar(scale, unit) {
  const canvas = h("canvas", { width: scale.table.length, height: 10, "aria-hidden": "true" });
  const paint = canvas.getContext("2d");
  scale.table.forEach((colour, index) => {
    paint.fillStyle = colour;
    paint.fillRect(index, 0, 1, 10);
  });
  return h("div", { class: "bar" }, h("span", {}, shortNumber(scale.from)), canvas, h("span", {}, `${shortNumber(scale.to)} ${unit}`.trim()));
}
