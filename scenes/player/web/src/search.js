// Search over everything that is said in the course.

import { addressOf, stepsOf } from "./course.js";
import { dialog, h, replace } from "./dom.js";

const MOST = 40;
const AROUND = 60;

const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** Steps whose title or words contain every word of the query; those that contain the whole phrase first. */
export function find(course, query) {
  const words = fold(query).split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const phrase = words.join(" ");
  const found = [];
  for (const lecture of course.lectures) {
    for (const step of stepsOf(lecture)) {
      const text = fold(step.text);
      const all = `${fold(step.scene.title)} ${text}`;
      if (!words.every((word) => all.includes(word))) continue;
      const rank = text.includes(phrase) ? 0 : words.every((word) => text.includes(word)) ? 1 : 2;
      found.push({ lecture, step, words, rank });
    }
  }
  return found.sort((a, b) => a.rank - b.rank);
}

/** The text around the first hit, hits as <mark>. Folding keeps lengths for nearly all letters; else no marks. */
function excerpt(text, words) {
  const folded = fold(text);
  if (folded.length !== text.length) return [text];
  const first = Math.max(0, Math.min(...words.map((word) => folded.indexOf(word)).filter((at) => at >= 0), folded.length) - AROUND);
  const start = first === 0 ? 0 : folded.indexOf(" ", first) + 1;
  const parts = start ? ["… "] : [];
  let at = start;
  while (at < text.length) {
    const hits = words.map((word) => [folded.indexOf(word, at), word.length]).filter(([place]) => place >= 0).sort((a, b) => a[0] - b[0] || b[1] - a[1]);
    if (!hits.length) break;
    const [place, length] = hits[0];
    parts.push(text.slice(at, place), h("mark", {}, text.slice(place, place + length)));
    at = place + length;
  }
  parts.push(text.slice(at));
  return parts;
}

export function openSearch(course, go) {
  const list = h("ol", { class: "results" });
  const count = h("p", { class: "fine", role: "status" }, "Everything that is said in the lectures.");
  const input = h("input", { type: "search", autocomplete: "off", spellcheck: "false", placeholder: "cache, latent, reward …", "aria-label": "Search in all transcripts", autofocus: true });
  const box = dialog("Search", [h("form", { class: "search", role: "search", onsubmit: (event) => {
    event.preventDefault();
    list.querySelector("a")?.click();
  } }, input), count, list], { wide: true });
  const update = () => {
    const found = find(course, input.value);
    count.textContent = !input.value.trim() ? "Everything that is said in the lectures." : found.length > MOST ? `${found.length} places, the first ${MOST}` : found.length === 1 ? "1 place" : `${found.length} places`;
    replace(list, found.slice(0, MOST).map(({ lecture, step, words }) =>
      h("li", {}, h("a", { href: addressOf(lecture, step), onclick: (event) => {
        event.preventDefault();
        box.close();
        go(addressOf(lecture, step));
      } },
      h("b", {}, `${lecture.number} · ${step.scene.title}, step ${step.number}`),
      h("span", { lang: lecture.lang }, excerpt(step.text, words))))));
  };
  input.addEventListener("input", update);
  input.focus();
}
