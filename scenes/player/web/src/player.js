// A lecture: the film with its controls, and beside it what is read, chosen and asked.

import { addressOf } from "./course.js";
import { load } from "./data.js";
import { clock, h, icon, replace } from "./dom.js";
import { Film, MODES, SPEEDS } from "./film.js";
import { onKeys, openHelp } from "./keys.js";
import { numbers } from "./numbers.js";
import { chapters, transcript } from "./reading.js";
import { recall, remember } from "./store.js";
import { tabs } from "./tabs.js";
import { timeline } from "./timeline.js";
import { openLab } from "./try.js";

const MODE_NAMES = { walk: "Walk", watch: "Watch", stills: "Stills" };
const MODE_TITLES = { walk: "Stop at the end of each step", watch: "Play on", stills: "One picture a step, no motion" };

/** Opens a lecture in `main`; returns what the page needs of it. */
export function openLecture(main, lecture, index, { search }) {
  const film = new Film(lecture);
  const marks = h("div", { class: "spots", role: "group", "aria-label": "Numbers on the picture", hidden: true });
  const big = h("button", { type: "button", class: "big", "aria-label": "Play", tabindex: "-1", onclick: () => film.toggle() }, icon("play"));
  const alternative = h("p", { class: "sr", id: "step-alternative", lang: lecture.lang });
  const failure = h("p", { class: "failure", role: "alert", hidden: true });
  const frame = h("div", { class: "frame", style: { aspectRatio: `${lecture.width} / ${lecture.height}` } }, film.video, film.picture, big, marks);
  film.video.addEventListener("click", () => film.toggle());
  film.picture.addEventListener("click", () => film.toggle());

  const reading = transcript(film);
  const scenes = chapters(film);
  const asked = h("div", {}, h("p", { class: "fine" }, "Loading…"));
  const lab = lecture.lab ? h("div", { class: "lab" }, h("p", { class: "fine" }, "Loading…")) : null;
  const side = tabs("Beside the film", [
    { name: "Read", element: reading.element, shown: reading.shown },
    { name: "Scenes", element: scenes.element, shown: scenes.shown },
    { name: "Numbers", element: asked },
    lab ? { name: "Try", element: lab, shown: () => openLab(lab, lecture.lab) } : null,
  ].filter(Boolean));

  const bar = controls(film, frame);
  const now = h("p", { class: "now" });
  const resumed = h("p", { class: "resumed fine", role: "status", hidden: true });
  replace(main,
    h("div", { class: "lecture" },
      h("section", { class: "stage", "aria-label": "Film" }, h("h1", { lang: lecture.lang }, h("span", { class: "number" }, String(lecture.number)), " ", lecture.title),
        frame, alternative, failure, timeline(film), bar.element, resumed, now),
      side.element));

  const changed = () => {
    const { step } = film;
    replace(now, h("b", { lang: lecture.lang }, step.scene.title), ` · step ${step.number} of ${step.scene.steps.length}`,
      film.mode === "stills" ? h("span", { class: "words", lang: lecture.lang }, step.text) : null);
    alternative.textContent = `${step.alt} ${step.text}`;
    big.hidden = film.playing || film.mode === "stills" || film.atRest;
    remember(`at ${lecture.id}`, film.index);
    remember("last", lecture.id);
    const address = addressOf(lecture, step);
    if (location.hash !== address) history.replaceState(null, "", address);
  };
  film.addEventListener("change", changed);
  film.addEventListener("failed", (event) => {
    failure.hidden = false;
    failure.textContent = `The film cannot be played here (${event.detail?.message || "format not supported"}). Stills and text work.`;
  });

  load(lecture.name).then((data) => {
    film.setCaptions(data.captions);
    replace(asked, numbers(film, data, marks).element);
  }, (error) => replace(asked, h("p", { role: "alert" }, error.message)));

  const left = recall(`at ${lecture.id}`, 0);
  if (index === null && left > 0 && left < film.steps.length) {
    replace(resumed, "Where you left off. ", h("button", { type: "button", class: "link", onclick: () => {
      resumed.hidden = true;
      film.go(0);
    } }, "Start from the beginning"));
    resumed.hidden = false;
  }
  film.go(index ?? (left < film.steps.length ? left : 0));

  const stopKeys = onKeys({
    ArrowRight: () => film.next(), ArrowLeft: () => film.previous(), ArrowUp: () => film.repeat(), r: () => film.repeat(),
    " ": () => film.toggle(), w: () => film.setMode(MODES[(MODES.indexOf(film.mode) + 1) % MODES.length]),
    "<": () => bar.faster(-1), ">": () => bar.faster(1), c: () => film.toggleCaptions(), m: () => lecture.sound && film.toggleSound(), f: () => bar.full(),
    n: () => side.open("Numbers"), "/": search, "?": openHelp,
    digit: (digit) => {
      const scene = digit === 0 ? 0 : digit - 1;
      const first = film.steps.find((step) => step.sceneIndex === scene);
      if (first) film.go(first.index, { play: film.playing });
    },
  });
  return { lecture, film, close: () => { stopKeys(); film.leave(); } };
}

function controls(film, frame) {
  const button = (name, label, action) => h("button", { type: "button", class: "quiet", "aria-label": label, title: label, onclick: action }, icon(name));
  const play = button("play", "Play", () => film.toggle());
  const captions = button("captions", "Captions", () => film.toggleCaptions());
  const sound = film.lecture.sound ? button("sound", "Sound", () => film.toggleSound()) : null;
  const time = h("span", { class: "time" });
  const speed = h("select", { "aria-label": "Speed", onchange: () => film.setSpeed(Number(speed.value)) },
    SPEEDS.map((value) => h("option", { value }, `${value}×`)));
  const name = `mode-${film.lecture.id}`;
  const modes = MODES.map((mode) => h("input", { type: "radio", name, value: mode, onchange: () => film.setMode(mode) }));
  const full = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else frame.requestFullscreen?.().catch(() => {});
  };
  const faster = (by) => {
    const at = SPEEDS.indexOf(film.speed) + by;
    if (at >= 0 && at < SPEEDS.length) film.setSpeed(SPEEDS[at]);
  };
  const element = h("div", { class: "controls", role: "group", "aria-label": "Controls of the film" },
    button("previous", "Previous step", () => film.previous()), play, button("next", "Next step", () => film.next()), button("repeat", "Repeat step", () => film.repeat()),
    time,
    h("fieldset", { class: "modes" }, h("legend", { class: "sr" }, "How to go through the film"),
      MODES.map((mode, index) => h("label", { title: MODE_TITLES[mode] }, modes[index], h("span", {}, MODE_NAMES[mode])))),
    h("span", { class: "right" }, speed, sound, captions, button("full", "Full screen", full), button("help", "Keys and help", openHelp)));
  const tick = () => {
    time.textContent = `${clock(film.untouched ? film.step.start : film.time)} / ${clock(film.lecture.seconds)}`;
  };
  const changed = () => {
    const label = film.mode === "stills" ? "Next picture" : film.playing ? "Pause" : "Play";
    play.setAttribute("aria-label", label);
    play.title = label;
    replace(play, icon(film.playing ? "pause" : "play"));
    captions.setAttribute("aria-pressed", film.captionsOn);
    sound?.setAttribute("aria-pressed", !film.video.muted);
    speed.value = film.speed;
    speed.disabled = captions.disabled = film.mode === "stills";
    modes.forEach((input) => { input.checked = input.value === film.mode; });
    tick();
  };
  film.addEventListener("time", tick);
  film.addEventListener("change", changed);
  changed();
  return { element, faster, full };
}
