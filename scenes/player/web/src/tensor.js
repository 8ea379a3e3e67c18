// A run's tensors: choose one, see a slice as heat map and small table, take it home as CSV or NPY.

import { cellsWith, csv, npy, shortNumber, slice } from "./arrays.js";
import { h, replace } from "./dom.js";
import { heatMap } from "./heat.js";

const ROWS = 12;
const COLUMNS = 8;

/** All tensors of a trace; the one that a number's formula names comes first, its cell marked where it is plain. */
export function tensors(trace, entry) {
  const named = trace.arrays.findIndex((array) => new RegExp(`(^|\\W)${array.name.replace(/\W/g, "\\$&")}(\\W|$)`).test(entry.computed?.formula ?? ""));
  const place = h("div", { class: "tensor" });
  const choose = h("select", { onchange: () => show(trace.arrays[choose.value]) },
    trace.arrays.map((array, index) => h("option", { value: index }, `${array.name}  (${sizes(array)})`)));
  const show = (array) => replace(place, view(trace, array, entry));
  if (!trace.arrays.length) return h("p", { class: "fine" }, "This run has numbers only, no tensors.");
  choose.value = Math.max(0, named);
  show(trace.arrays[choose.value]);
  return h("div", {}, h("label", { class: "field" }, "Tensor ", choose), place);
}

const sizes = (array) => array.axes.map((axis, index) => `${axis} ${array.shape[index]}`).join(" × ") || "one value";

function view(trace, array, entry) {
  if (!array.data) return h("p", {}, "This tensor is too large for the page; ", h("code", {}, `explain run ${trace.run} --save FILE`), " writes it.");
  const rank = array.shape.length;
  const cells = cellsWith(array, entry.value);
  const cell = cells.length === 1 ? cells[0] : null;
  const state = { row: rank >= 2 ? rank - 2 : -1, column: rank >= 1 ? rank - 1 : -1, at: cell ? [...cell] : array.shape.map(() => 0) };
  const place = h("div", {});
  const controls = h("div", { class: "axes" });

  function draw() {
    const rows = slice(array, state.row, state.column, state.at);
    const here = cell && cell.every((index, axis) => axis === state.row || axis === state.column || index === state.at[axis]);
    const spot = here ? [state.row < 0 ? 0 : cell[state.row], state.column < 0 ? 0 : cell[state.column]] : null;
    const label = (axis, index) => (axis < 0 ? "" : array.labels[array.axes[axis]]?.[index] ?? String(index));
    replace(place,
      heatMap(rows, { rowAxis: array.axes[state.row] ?? "", columnAxis: array.axes[state.column] ?? "", name: array.name, unit: array.unit, spot,
        rowLabel: (index) => label(state.row, index), columnLabel: (index) => label(state.column, index) }),
      spot ? h("p", { class: "fine" }, `The number stands in the framed cell: ${array.axes.map((axis, index) => `${axis} ${label(index, cell[index])}`).join(", ")}.`) : null,
      table(rows, array, state, label, spot));
  }

  function axisSelect(which, other) {
    const select = h("select", { onchange: () => {
      state[which] = Number(select.value);
      if (state[which] === state[other]) state[other] = array.axes.findIndex((_, axis) => axis !== state[which]);
      setUp();
    } }, array.axes.map((axis, index) => h("option", { value: index }, axis)));
    select.value = state[which];
    return select;
  }

  function setUp() {
    const rest = array.axes.map((axis, index) => ({ axis, index })).filter(({ index }) => index !== state.row && index !== state.column);
    replace(controls,
      rank > 2 ? [h("label", { class: "field" }, "Rows ", axisSelect("row", "column")), h("label", { class: "field" }, "Columns ", axisSelect("column", "row"))] : null,
      rest.map(({ axis, index }) => {
        const select = h("select", { onchange: () => { state.at[index] = Number(select.value); draw(); } },
          Array.from({ length: array.shape[index] }, (_, value) => h("option", { value }, array.labels[axis]?.[value] ?? String(value))));
        select.value = state.at[index];
        return h("label", { class: "field" }, `${axis} `, select);
      }));
    draw();
  }
  setUp();
  return [controls, place, downloads(trace, array)];
}

function table(rows, array, state, label, spot) {
  const shownRows = rows.slice(0, ROWS);
  const shownColumns = Math.min(rows[0].length, COLUMNS);
  const head = h("tr", {}, h("th", { scope: "col" }, [array.axes[state.row], array.axes[state.column]].filter(Boolean).join(" \\ ") || array.name),
    Array.from({ length: shownColumns }, (_, j) => h("th", { scope: "col" }, label(state.column, j))));
  const body = shownRows.map((row, i) => h("tr", {}, h("th", { scope: "row" }, label(state.row, i)),
    row.slice(0, shownColumns).map((value, j) => h("td", { class: spot && spot[0] === i && spot[1] === j ? "spotted" : "" }, shortNumber(value)))));
  const cut = shownRows.length < rows.length || shownColumns < rows[0].length;
  return [
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Values of ${array.name}` }, h("table", {}, h("thead", {}, head), h("tbody", {}, body))),
    cut ? h("p", { class: "fine" }, `The first ${shownRows.length} of ${rows.length} rows, ${shownColumns} of ${rows[0].length} columns; the files have all.`) : null,
  ];
}

function downloads(trace, array) {
  const name = `${trace.run}-${array.name}`;
  const save = (content, type, ending) => {
    const address = URL.createObjectURL(new Blob([content], { type }));
    h("a", { href: address, download: `${name}.${ending}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };
  return h("p", { class: "buttons" },
    h("button", { type: "button", class: "outline", onclick: () => save(csv(array), "text/csv", "csv") }, "Download CSV"),
    h("button", { type: "button", class: "outline", onclick: () => save(npy(array), "application/octet-stream", "npy") }, "Download NPY"));
}
