// The progress bar: a block for each scene, a mark for each step, titles on hover; a slider over steps for the keyboard.

import { stepAt } from "./course.js";
import { clock, h } from "./dom.js";

export function timeline(film) {
  const { lecture, steps } = film;
  const share = (time) => `${(100 * time) / lecture.seconds}%`;
  const done = h("div", { class: "done" });
  const blocks = lecture.scenes.map((scene) =>
    h("div", { class: "block", style: { left: share(scene.start), width: share(scene.end - scene.start) } }),
  );
  const marks = steps
    .filter((step) => step.number > 1)
    .map((step) => h("div", { class: "mark", style: { left: share(step.start) } }));
  const title = h("div", { class: "tip", hidden: true });
  const hover = h("div", { class: "hover", hidden: true });
  const knob = h("div", { class: "knob" });
  const bar = h(
    "div",
    { class: "timeline", role: "slider", tabindex: "0", "aria-label": "Step of the lecture", "aria-valuemin": 1, "aria-valuemax": steps.length },
    h("div", { class: "rail" }, blocks, hover, done, marks),
    knob,
    title,
  );

  const timeAt = (event) => {
    const box = bar.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * lecture.seconds;
  };
  const tell = (event) => {
    const time = timeAt(event);
    const step = steps[stepAt(steps, time)];
    title.hidden = hover.hidden = false;
    title.replaceChildren(
      h("b", { lang: lecture.lang }, step.scene.title),
      ` · step ${step.number} of ${step.scene.steps.length} · ${clock(time)}`,
      h("br"),
      h("span", { class: "words", lang: lecture.lang }, step.text.length > 90 ? `${step.text.slice(0, 88)}…` : step.text),
    );
    Object.assign(hover.style, { left: share(step.start), width: share(step.end - step.start) });
    const box = bar.getBoundingClientRect();
    const half = Math.min(title.offsetWidth, box.width) / 2;
    title.style.left = `${Math.min(Math.max(event.clientX - box.left, half), box.width - half)}px`;
  };
  const hush = () => {
    title.hidden = hover.hidden = true;
  };
  bar.addEventListener("pointermove", (event) => {
    tell(event);
    if (event.buttons & 1 && bar.hasPointerCapture(event.pointerId)) film.seek(timeAt(event));
  });
  bar.addEventListener("pointerleave", hush);
  bar.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    bar.setPointerCapture(event.pointerId);
    film.seek(timeAt(event));
  });
  bar.addEventListener("keydown", (event) => {
    const moves = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
    if (event.key === "Escape") hush();
    let target = null;
    if (event.key in moves) target = film.index + moves[event.key];
    if (event.key === "Home") target = 0;
    if (event.key === "End") target = steps.length - 1;
    if (event.key === "PageUp") target = film.index + 5;
    if (event.key === "PageDown") target = film.index - 5;
    if (target === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    film.go(target, { play: film.playing });
  });

  const update = () => {
    const time = film.mode === "stills" ? film.step.end : film.untouched ? film.step.start : film.time;
    done.style.width = share(time);
    knob.style.left = share(time);
  };
  const changed = () => {
    update();
    const { step } = film;
    bar.setAttribute("aria-valuenow", film.index + 1);
    bar.setAttribute("aria-valuetext", `${step.scene.title}, step ${step.number} of ${step.scene.steps.length}`);
  };
  film.addEventListener("time", update);
  film.addEventListener("change", changed);
  changed();
  return bar;
}
