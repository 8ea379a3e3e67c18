// Lecture 3: keys and values of any text squeezed to r numbers a token and made again (explainers/experiments/latent_cut.py),
// and what a cache of so many numbers weighs in a large model.

import { valuesOf } from "../arrays.js";
import { h, replace } from "../dom.js";
import { colouring } from "../heat.js";
import { curve } from "./curve.js";
import { integer, likeliest, live, tokensOf } from "./live.js";
import { strip } from "./strip.js";
import { bar, checkbox, choice, slider } from "./parts.js";
import { Tokenizer } from "./tokenizer.js";

/** What the model computes of a text: whole keys and values, along the axes, made again; what it says with either. */
export async function compute(session, tokenizer, text, { rank, turned }) {
  const { ids, tokens, input } = tokensOf(tokenizer, text);
  const out = await session.run({ ids: input, rank: integer(rank), turned: integer(turned ? 1 : 0) });
  return {
    ids, tokens, rank, turned,
    logits: [out.logits, out.logits_cut].map(({ data, dims: [, words] }) => data.slice(-words)),
    loss: [out.logits, out.logits_cut].map(({ data, dims: [, words] }) => losses(data, words, ids)),
    kv: out.kv.data, coordinates: out.coordinates.data, reconstruction: out.reconstruction.data,
  };
}

/** Nats of surprise at each token from the second: logits in rows of `words`. */
function losses(logits, words, ids) {
  return ids.slice(1).map((id, at) => {
    const row = logits.subarray(at * words, (at + 1) * words);
    const most = row.reduce((a, b) => Math.max(a, b));
    return Math.log(row.reduce((sum, value) => sum + Math.exp(value - most), 0)) + most - row[id];
  });
}

/** Share of the energy (sum of squares) that the first r axes hold, r = 0 … F, of one layer cut in one way. */
export function energies({ kv, coordinates, tokens }, { layers, features }, way, layer) {
  const from = (way * layers + layer) * tokens.length * features;
  let all = 0;
  for (let at = from; at < from + tokens.length * features; at++) all += kv[at] ** 2;
  const kept = [0];
  for (let axis = 0; axis < features; axis++) {
    let sum = 0;
    for (let token = 0; token < tokens.length; token++) sum += coordinates[from + token * features + axis] ** 2;
    kept.push(kept[axis] + sum / all);
  }
  return kept;
}

/** A cache of MLA: numbers a token and layer, bytes a token, bytes of a whole context. */
export function cache({ rope, layers, width }, rank, context) {
  const values = rank + rope;
  return { values, token: values * layers * width, all: values * layers * width * context };
}

/** 70272 → "70.3 kB" (1 kB = 1,000 B, as in the films) */
export function weight(bytes) {
  const step = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)));
  const value = bytes / 1000 ** step;
  return `${step && value < 1000 ? Number(value.toPrecision(3)) : Math.round(value)} ${["B", "kB", "MB", "GB", "TB"][step]}`;
}

const number = (value) => value.toLocaleString("en");
const percent = (share) => `${(100 * share).toFixed(share < 0.9995 && share > 0.99 ? 1 : 0)} %`;
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

export function latent(place, data, { load, scales }) {
  const tokenizer = new Tokenizer(data.merges);
  const { features, ranks } = data;
  const sizes = { layers: data.layers.length, features };
  const recorded = data.recorded;
  const knobs = { ...data.start };
  let shown = {
    ...recorded, rank: data.start.rank, turned: data.start.turned,
    kv: valuesOf(recorded.kv), coordinates: valuesOf(recorded.coordinates), reconstruction: valuesOf(recorded.reconstruction),
  };

  const result = h("div", { class: "results-box" });
  const maps = h("div", { class: "maps" });
  const line = h("div", {});
  const next = [h("ol", {}), h("ol", {})];
  const text = h("p", { class: "fine" });
  const { status, field, later, session } = live(place, {
    model: "cut", load, tokenizer, start: data.text,
    compute: (made, text) => compute(made, tokenizer, text, { ...knobs }),
    show: (given) => { shown = given; draw(); },
  });

  const rank = slider("Numbers kept", { min: 0, max: ranks.length - 1, value: ranks.indexOf(knobs.rank), show: (at) => `${ranks[at]} of ${features}`, oninput: (at) => {
    knobs.rank = ranks[at];
    say();
    later();
  } });
  const turned = checkbox("Cut after RoPE has turned the keys", knobs.turned, (on) => { knobs.turned = on; say(); later(); });
  const layers = choice("Layer", data.layers.map((name, index) => [index, name]), knobs.layer, (value) => { knobs.layer = Number(value); draw(); });

  /** What follows from the knobs and the text shown, without the model. */
  function say() {
    const way = knobs.turned ? 1 : 0;
    const kept = [0, 1].map((which) => energies(shown, sizes, which, knobs.layer));
    const bytes = shown.tokens.length * sizes.layers * data.width;
    const measured = data.held_out[way][ranks.indexOf(knobs.rank)];
    replace(result,
      h("p", {}, h("b", {}, percent(kept[way][knobs.rank])), " of the energy comes back in this layer"),
      h("p", {}, h("b", {}, weight(bytes * knobs.rank)), ` of cache for this text, instead of ${weight(bytes * features)}`),
      h("p", { class: "fine" }, measured === null
        ? "How much worse the model gets with so few was not measured."
        : `Cut so in all its layers, the model’s loss on held-out text ${measured < 0 ? "falls" : "rises"} by ${Number(Math.abs(measured).toPrecision(2))} nats a token (run low_rank).`));
    replace(line, curve([
      { name: "before the keys are turned", kind: "latent", values: kept[0] }, { name: "after", kind: "rope", values: kept[1] },
    ], knobs.rank, way));
  }

  function draw() {
    say();
    const way = shown.turned ? 1 : 0;
    const count = shown.tokens.length;
    const from = (way * sizes.layers + knobs.layer) * count * features;
    const rows = (values, width = features) => Array.from({ length: count }, (_, t) => Array.from(values.subarray(from + t * features, from + t * features + width)));
    const whole = rows(shown.kv);
    const back = rows(shown.reconstruction);
    const lost = whole.map((row, t) => row.map((value, at) => value - back[t][at]));
    const scale = colouring(whole, scales);
    const kept = rows(shown.coordinates, shown.rank);
    const half = features / 2;
    const part = (at) => (at < half ? `key, number ${at}` : `value, number ${at - half}`);
    const draws = [
      ["Keys (left half) and values of all heads, as the model makes them", whole, scale, part],
      [`All that is kept: ${shown.rank} ${shown.rank === 1 ? "number" : "numbers"} a token`, kept, colouring(kept, scales), (at) => `along direction ${at + 1}`],
      ["Made again from what was kept", back, scale, part],
      ["What is lost", lost, scale, part],
    ];
    replace(maps, draws.map(([name, values, colours, of]) => strip(values, { name, tokens: shown.tokens, full: features, scale: colours, of })));
    shown.logits.forEach((logits, which) => replace(next[which], likeliest(logits).map(([token, share]) =>
      bar(tokenizer.display(token), share, `${(100 * share).toFixed(1)} %`, which ? "latent" : "token"))));
    const [plain, cut] = shown.loss.map((each) => (each.length ? mean(each) : null));
    replace(text, plain === null ? "" : `On this text: ${plain.toFixed(2)} nats a token with the whole, ${cut.toFixed(2)} with what was kept. A single text goes up and down by chance.`);
  }

  draw();
  replace(place,
    h("p", {}, `This model was trained with plain attention: ${features} numbers of keys and values for each token, in each layer. Keep fewer, and make the rest again. The directions were found on training text; yours is new to them.`),
    field,
    h("div", { class: "knobs" }, rank.element, turned.element, layers.element), status, result,
    maps, h("h2", {}, "Energy that comes back, by how much is kept"), line,
    h("h2", {}, "What the model thinks comes next"),
    h("div", { class: "pair" }, h("div", {}, h("p", { class: "fine" }, "With the whole"), next[0]), h("div", {}, h("p", { class: "fine" }, "With what was kept, in every layer"), next[1])), text,
    large(data.large));
  return { tokenizer, energies: (given, way, layer) => energies(given, sizes, way, layer), cache: (r, context) => cache(data.large, r, context), compute: (given, turns) => compute(session(), tokenizer, given, turns) };
}

/** The same choice at the sizes of a large model, counted. */
function large(model) {
  const state = { rank: model.rank, context: model.context };
  const result = h("div", { class: "results-box", role: "status" });
  const compare = h("ol", {});
  function draw() {
    const now = cache(model, state.rank, state.context);
    const others = model.others.map(([name, values]) => [name, values * model.layers * model.width * state.context, "token"]);
    const all = [...others, ["MLA", now.all, "latent"]];
    const most = Math.max(...all.map(([, bytes]) => bytes));
    replace(result,
      h("p", {}, h("b", {}, weight(now.token)), ` a token: ${state.rank} + ${model.rope} for position, in ${model.layers} layers, ${model.width} bytes each`),
      h("p", {}, h("b", {}, weight(now.all)), ` for ${number(state.context)} tokens, ${percent(now.all / model.memory)} of the memory of one ${model.chip}`),
      h("p", { class: "fine" }, `${model.title} chose ${model.rank}. What a rank costs in quality is learnt by training with it; that is not computed here.`));
    replace(compare, all.map(([name, bytes, kind]) => bar(name, bytes / most, weight(bytes), kind)));
  }
  draw();
  const at = model.ranks.indexOf(state.rank);
  return [
    h("h2", {}, `The same choice in ${model.title}`),
    h("div", { class: "knobs" },
      slider("Latent rank", { min: 0, max: model.ranks.length - 1, value: at, show: (index) => number(model.ranks[index]), oninput: (index) => { state.rank = model.ranks[index]; draw(); } }).element,
      slider("Tokens of context", { min: 10, max: 20, value: Math.log2(state.context), show: (power) => number(2 ** power), oninput: (power) => { state.context = 2 ** power; draw(); } }).element),
    result, compare,
  ];
}
