// Lecture 2: any text through the gates of the trained model, with the knobs of the gate as inputs of the model.

import { h, replace } from "../dom.js";
import { colourOf } from "../heat.js";
import { integer, likeliest, live, tokensOf } from "./live.js";
import { bar, checkbox, choice, slider } from "./parts.js";
import { Tokenizer } from "./tokenizer.js";

/** What the model computes of a text: same fields as the recorded example. */
export async function compute(session, tokenizer, text, knobs) {
  const { ids, tokens, input } = tokensOf(tokenizer, text);
  const out = await session.run({
    ids: input, top_k: integer(knobs.k), topk_group: integer(knobs.groups),
    bias: globalThis.explainTensor("float32", Float32Array.of(knobs.bias ? 1 : 0), []),
  });
  const cube = ({ data, dims: [layers, rows, width] }) => Array.from({ length: layers }, (_, l) =>
    Array.from({ length: rows }, (_, t) => Array.from(data.slice((l * rows + t) * width, (l * rows + t + 1) * width), Number)));
  return {
    ids, tokens, logits: out.logits.data.slice(-out.logits.dims[1]),
    scores: cube(out.scores), biased: cube(out.biased_scores), groups: cube(out.group_mask), rank: cube(out.rank), weights: cube(out.weights),
  };
}

export function routing(place, data, { load, scales }) {
  const tokenizer = new Tokenizer(data.merges);
  const knobs = { k: data.top_k, groups: data.topk_group, bias: true };
  let shown = data.recorded;
  let layer = 0;

  const board = h("div", { class: "scroll routes", tabindex: "0", role: "region", "aria-label": "Which experts each token goes to" });
  const loads = h("ol", { class: "loads" });
  const next = h("ol", { class: "next" });
  const { status, field, later, session } = live(place, {
    model: "model", load, tokenizer, start: data.text,
    compute: (made, text) => compute(made, tokenizer, text, { ...knobs }),
    show: (result) => { shown = result; draw(); },
  });

  const k = slider("Experts a token", { min: 1, max: data.experts, value: knobs.k, oninput: (value) => { knobs.k = value; fit(); later(); } });
  const groups = slider("Groups a token may use", { min: 1, max: data.groups, value: knobs.groups, oninput: (value) => { knobs.groups = value; fit(); later(); } });
  const bias = checkbox("Bias for balance", true, (on) => { knobs.bias = on; later(); });
  const layers = choice("Layer", data.layers.map((name, index) => [index, name]), 0, (value) => { layer = Number(value); draw(); });
  const reset = h("button", { type: "button", class: "outline", onclick: () => {
    Object.assign(knobs, { k: data.top_k, groups: data.topk_group, bias: true });
    k.set(knobs.k);
    groups.set(knobs.groups);
    bias.input.checked = true;
    fit();
    later();
  } }, "As trained");

  /** So many experts must lie in the allowed groups: k is held to what is there. */
  function fit() {
    const room = knobs.groups * data.group_size;
    k.input.max = room;
    if (knobs.k > room) {
      knobs.k = room;
      k.set(room);
    }
  }

  function draw() {
    const scores = shown.biased[layer];
    const values = scores.flat();
    const scale = { table: scales.sequential, from: Math.min(...values), to: Math.max(...values) };
    const head = h("tr", {}, h("th", { scope: "col" }, "token"), Array.from({ length: data.experts }, (_, e) =>
      h("th", { scope: "col", class: e % data.group_size === 0 ? "group" : "" }, String(e))));
    const rows = shown.tokens.map((token, t) => h("tr", {}, h("th", { scope: "row" }, h("span", { class: "chip" }, token)),
      scores[t].map((value, e) => {
        const weight = shown.weights[layer][t][e];
        const allowed = shown.groups[layer][t][Math.floor(e / data.group_size)];
        const chosen = weight > 0;
        return h("td", { class: [chosen ? "chosen" : "", allowed ? "" : "forbidden", e % data.group_size === 0 ? "group" : ""].join(" ").trim(),
          title: `expert ${e}: score ${shown.scores[layer][t][e].toFixed(3)}, with bias ${value.toFixed(3)}${chosen ? `, weight ${weight.toFixed(2)}` : ""}`,
          style: { backgroundColor: colourOf(scale, value) } }, chosen ? h("span", {}, weight.toFixed(1)) : h("span", { class: "sr" }, "–"));
      })));
    replace(board, h("table", {}, h("thead", {}, head), h("tbody", {}, rows)));
    const counts = Array.from({ length: data.experts }, (_, e) => shown.weights[layer].filter((row) => row[e] > 0).length);
    const most = Math.max(...counts, 1);
    replace(loads, counts.map((count, e) => bar(`expert ${e}`, count / most, String(count), "expert")));
    replace(next, likeliest(shown.logits).map(([token, share]) => bar(tokenizer.display(token), share, `${(100 * share).toFixed(1)} %`, "token")));
  }

  draw();
  replace(place,
    h("p", {}, "Type any text. Each token’s gate scores the experts of a layer; the best go to work. Turn the knobs: the whole small model is computed again, here."),
    field,
    h("div", { class: "knobs" }, k.element, groups.element, bias.element, layers.element, reset), status,
    board, h("p", { class: "fine" }, "Colour: score with bias, dark low, bright high. Numbers: weights of the chosen experts. Struck out: groups this token may not use."),
    h("h2", {}, "Tokens an expert gets in this layer"), loads,
    h("h2", {}, "What the model thinks comes next"), next);
  return { tokenizer, compute: (given, turned) => compute(session(), tokenizer, given, turned) };
}
