// Where a number comes from: the whole chain, down to sources with table and date, and the tensors of the runs.

import { load } from "./data.js";
import { dialog, h, replace } from "./dom.js";
import { tensors } from "./tensor.js";

const SURE = { primary: "read in the source itself", secondary: "read in another source", recalled: "from memory" };
const OPEN_LEVELS = 2;

export function openOrigin(lecture, q, text) {
  const entry = lecture.quantities[q];
  const below = h("div", { class: "run-place" });
  const showRun = (run) => openRun(lecture, run, entry, below);
  return dialog(text, [
    h("p", { class: "lead" }, entry.name),
    exact(entry),
    chain(lecture, q, showRun, 0),
    below,
  ], { wide: true });
}

function exact(entry) {
  const full = String(entry.value);
  const parts = [h("dt", {}, "Value"), h("dd", {}, h("code", {}, `${full} ${entry.unit}`.trim()))];
  if (entry.spread !== undefined) parts.push(h("dt", {}, "Spread over seeds"), h("dd", {}, h("code", {}, String(entry.spread))));
  if (entry.key) parts.push(h("dt", {}, "In scripts"), h("dd", {}, h("code", {}, entry.key)));
  return h("dl", { class: "facts" }, parts);
}

function chain(lecture, q, showRun, depth) {
  const entry = lecture.quantities[q];
  if (entry.cited) return cited(entry.cited);
  const { formula, inputs, run } = entry.computed;
  const parts = [h("p", { class: "formula" }, h("span", { class: "kind" }, run ? `run ${run[0]}` : "computed"), " = ", h("code", {}, formula))];
  if (run) parts.push(h("p", {}, h("button", { type: "button", class: "outline", onclick: () => showRun(run) }, `Parameters and tensors of the run ${run[0]}`)));
  if (inputs.length) parts.push(h("ul", { class: "inputs" }, inputs.map((input) => h("li", {}, node(lecture, input, showRun, depth + 1)))));
  return h("div", { class: "origin" }, parts);
}

function node(lecture, q, showRun, depth) {
  const entry = lecture.quantities[q];
  const head = [h("b", {}, entry.text), " ", h("span", {}, entry.name)];
  if (entry.computed && !entry.computed.inputs.length && !entry.computed.run) {
    return h("p", { class: "leaf" }, head, h("span", { class: "kind" }, ` ${entry.computed.formula}`));
  }
  return h("details", { open: depth < OPEN_LEVELS }, h("summary", {}, head), chain(lecture, q, showRun, depth));
}

function cited(about) {
  const source = about.url
    ? h("a", { href: about.url, target: "_blank", rel: "noopener noreferrer" }, about.source, h("span", { class: "away" }, " ↗"))
    : about.source;
  return h("p", { class: "cited" }, h("span", { class: "kind" }, "cited"), " ", source,
    about.where ? `, ${about.where}` : "", about.date ? `, ${about.date}` : "",
    h("span", { class: "sure" }, ` · ${SURE[about.confidence] ?? about.confidence}`));
}

async function openRun(lecture, [name, digest], entry, place) {
  const file = lecture.runs[`${name} ${digest}`];
  if (!file) {
    replace(place, h("h3", {}, `Run ${name}`), h("p", {}, "The tensors of this run are not in this site. ",
      h("code", {}, `explain run ${name}`), " computes and prints them."));
    return;
  }
  replace(place, h("p", { class: "fine" }, "Loading…"));
  try {
    const trace = await load(`runs/${file}`);
    replace(place, about(trace), tensors(trace, entry));
  } catch (error) {
    replace(place, h("p", { role: "alert" }, error.message));
  }
  place.scrollIntoView({ block: "start", behavior: "auto" });
}

function about(trace) {
  const row = (name, value) => [h("dt", {}, name), h("dd", {}, h("code", {}, typeof value === "string" ? value : JSON.stringify(value)))];
  return [
    h("h3", {}, `Run ${trace.run}`),
    trace.summary ? h("p", {}, trace.summary) : null,
    h("dl", { class: "facts" }, Object.entries(trace.params).map(([name, value]) => row(name, value)),
      row("seed", trace.seed), row("device", trace.device), row("digest", trace.digest.slice(0, 16))),
    trace.notes.map((note) => h("p", { class: "fine" }, note)),
  ];
}
