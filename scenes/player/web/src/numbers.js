// The numbers of a step: listed beside the film, marked on the picture when it rests, each with its origin.

import { h, replace } from "./dom.js";
import { openOrigin } from "./origin.js";

/** A step's numbers, shown ones first, each quantity once; `places` are where it stands on the picture. */
function ofStep(step, table) {
  const found = new Map();
  for (const [list, way] of [[step.shown, "shown"], [step.said, "said"]]) {
    for (const one of list) {
      const known = found.get(one.q) ?? { q: one.q, text: one.text, entry: table[one.q], places: [], said: false };
      if (way === "said") known.said = true;
      else known.places.push(one.box);
      found.set(one.q, known);
    }
  }
  return [...found.values()];
}

const LEAST = 24; // pixels of a target, WCAG 2.2, 2.5.8
const ROOM = 6;

function target([left, top, right, bottom], width, height) {
  const wide = Math.max((right - left) * width + 2 * ROOM, LEAST);
  const tall = Math.max((bottom - top) * height + 2 * ROOM, LEAST);
  return { left: ((left + right) * width - wide) / 2, top: ((top + bottom) * height - tall) / 2, width: wide, height: tall };
}

const overlap = (a, b) => a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;

export function numbers(film, lecture, marks) {
  const list = h("ol", { class: "numbers" });
  const where = h("p", { class: "fine" });
  const element = h("div", {}, where, list);
  let shownFor = -1;
  let rows = [];

  const open = (row) => openOrigin(lecture, row.q, row.text);
  const light = (index, on) => {
    marks.querySelectorAll(`[data-number="${index}"]`).forEach((mark) => mark.classList.toggle("lit", on));
    list.children[index]?.classList.toggle("lit", on);
  };

  function fillList() {
    rows = ofStep(lecture.steps[film.index], lecture.quantities);
    replace(list, rows.map((row, index) =>
      h("li", { onpointerenter: () => light(index, true), onpointerleave: () => light(index, false) },
        h("button", { type: "button", class: "number", "aria-haspopup": "dialog", onclick: () => open(row), onfocus: () => light(index, true), onblur: () => light(index, false) },
          h("b", {}, row.text),
          h("span", {}, row.entry.name),
          h("small", {}, [row.places.length ? "on the picture" : "", row.said ? "said" : ""].filter(Boolean).join(" · "))))));
  }

  function place() {
    const rest = film.atRest;
    marks.hidden = !rest;
    if (!rest) return;
    const { width, height } = marks.getBoundingClientRect();
    const spots = rows.flatMap((row, index) => row.places.map((box) => ({ row, index, ...target(box, width, height) })));
    replace(marks, spots.map((spot) => mark(spot, spots.some((other) => other !== spot && overlap(spot, other)))));
  }

  /** A mark is a button, unless another lies under the same finger: then it only shows, and the list has the button. */
  function mark({ row, index, left, top, width, height }, crowded) {
    const about = {
      class: "spot", "data-number": index,
      style: { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` },
      onpointerenter: () => light(index, true), onpointerleave: () => light(index, false),
    };
    if (crowded) return h("span", { ...about, "aria-hidden": "true" });
    return h("button", { ...about, type: "button", "aria-haspopup": "dialog",
      "aria-label": `${row.text}: ${row.entry.name}. Where does it come from?`, onclick: () => open(row) });
  }

  function say() {
    const onPicture = rows.some((row) => row.places.length);
    if (!rows.length) replace(where, "No number is shown or said in this step.");
    else if (!onPicture) replace(where, "Said in this step. Choose a number to see where it comes from.");
    else if (film.atRest) replace(where, "Choose a number, here or on the picture, to see where it comes from.");
    else {
      replace(where, "On the picture they are marked at the end of the step. ",
        h("button", { type: "button", class: "link", onclick: () => film.rest() }, "Go there"));
    }
  }

  let before = "";
  const changed = () => {
    const now = `${film.index} ${film.atRest}`;
    if (now === before) return;
    before = now;
    if (film.index !== shownFor) {
      shownFor = film.index;
      fillList();
    }
    place();
    say();
  };
  film.addEventListener("change", changed);
  new ResizeObserver(place).observe(marks.parentElement);
  changed();
  return { element };
}
