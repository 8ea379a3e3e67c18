// What is read beside the film: the transcript with the current step marked, and the list of scenes.

import { addressOf, film as fileOf } from "./course.js";
import { clock, h } from "./dom.js";

const gentle = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");

/** Scrolls the panel, and only the panel, so that an element is in its view. */
function reveal(element) {
  const panel = element.closest(".panel");
  if (!panel || panel.hidden || panel.scrollHeight <= panel.clientHeight) return;
  const top = element.getBoundingClientRect().top - panel.getBoundingClientRect().top + panel.scrollTop;
  panel.scrollTo({ top: Math.max(0, top - panel.clientHeight / 3), behavior: gentle() });
}

export function transcript(film) {
  const { lecture, steps } = film;
  const paragraphs = steps.map((step) =>
    h(
      "button",
      { type: "button", class: "said", "data-step": step.index, onclick: () => film.go(step.index, { play: film.mode !== "stills" }) },
      h("span", { class: "at", "aria-hidden": "true" }, clock(step.start)),
      h("span", {}, step.text),
    ),
  );
  const scenes = lecture.scenes.map((scene, index) => [
    h("h2", {}, scene.title),
    h("ol", {}, steps.filter((step) => step.sceneIndex === index).map((step) => h("li", {}, paragraphs[step.index]))),
  ]);
  let marked = null;
  const changed = () => {
    const now = paragraphs[film.index];
    if (now === marked) return;
    marked?.removeAttribute("aria-current");
    now.setAttribute("aria-current", "step");
    marked = now;
    reveal(now);
  };
  film.addEventListener("change", changed);
  changed();
  const notes = h(
    "p",
    { class: "fine", lang: "en" },
    h("a", { href: `notes/${lecture.name}.html` }, "Printable notes"),
  );
  return { element: h("div", { class: "transcript", lang: lecture.lang }, scenes, notes), shown: () => reveal(paragraphs[film.index]) };
}

export function chapters(film) {
  const { lecture, steps } = film;
  const rows = lecture.scenes.map((scene, index) => {
    const inside = steps.filter((step) => step.sceneIndex === index);
    const last = inside[inside.length - 1];
    const links = inside.map((step) =>
      h("a", { class: "dot", href: addressOf(lecture, step), "data-step": step.index, "aria-label": `Step ${step.number} of ${scene.title}` }, String(step.number)),
    );
    return {
      links,
      element: h(
        "li",
        { class: "chapter" },
        h("a", { class: "thumb", href: addressOf(lecture, inside[0]), tabindex: "-1", "aria-hidden": "true" },
          h("img", { src: fileOf(lecture, `small-${last.picture}.webp`), alt: "", loading: "lazy", width: 320, height: 180 })),
        h("div", {},
          h("h2", {}, h("a", { href: addressOf(lecture, inside[0]) }, `${index + 1}. ${scene.title}`)),
          h("p", { class: "fine", lang: "en" }, `${clock(scene.start)} · ${Math.round(scene.end - scene.start)} s`),
          h("p", { class: "dots", lang: "en" }, links)),
      ),
    };
  });
  const changed = () => {
    rows.forEach((row, index) => {
      if (index === film.step.sceneIndex) row.element.setAttribute("data-now", "");
      else row.element.removeAttribute("data-now");
      row.links.forEach((link) => {
        if (Number(link.dataset.step) === film.index) link.setAttribute("aria-current", "step");
        else link.removeAttribute("aria-current");
      });
    });
  };
  film.addEventListener("change", changed);
  changed();
  return { element: h("ol", { class: "chapters", lang: lecture.lang }, rows.map((row) => row.element)), shown: () => reveal(rows[film.step.sceneIndex].element) };
}
