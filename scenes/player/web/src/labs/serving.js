// Lecture 6: one decoding step of a group of GPUs (explainers/serving.py), with its parts and what a token costs.

import { h, replace } from "../dom.js";
import { bar, choice, slider } from "./parts.js";

const RESERVE = 0.1; // of the memory, for activations and buffers (serving.MEMORY_RESERVE)

/** Seconds of a step by part, tokens a second, dollars a million tokens; `fits` is the largest batch. */
export function serve(on, { batch, context, price, gpus, utilisation }) {
  const touched = 1 - (1 - on.chosen / on.experts) ** (batch * gpus);
  const weights = (on.replicated + on.expert * touched) / on.bandwidth;
  const matmul = (batch * on.flops) / on.matmul;
  const attention = batch * Math.max((on.core * context) / on.attention, (on.read * context) / on.bandwidth);
  const network = (batch * on.network) / on.card;
  const seconds = Math.max(Math.max(2 * weights, matmul) + attention, network);
  const gpu = (utilisation * batch) / seconds;
  const fits = Math.max(0, Math.floor((on.memory * (1 - RESERVE) - on.replicated - on.expert) / (on.cache * context)));
  return { weights, matmul, attention, network, seconds, gpu, user: gpu / batch, cost: (price / 3600 / gpu) * 1e6, fits };
}

const short = (value) => (value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3));

export function serving(place, data) {
  const state = { ...data.start };
  const result = h("div", { class: "results-box", role: "status" });
  const parts = h("ol", {});
  const compare = h("ol", {});
  const all = (attention) => serve(data.cases[state.chip][attention], { ...state, gpus: data.gpus, utilisation: data.utilisation });

  function draw() {
    const now = all(state.attention);
    const over = state.batch > now.fits;
    replace(result,
      over
        ? h("p", { class: "failure" }, now.fits ? `Only ${now.fits.toLocaleString("en")} conversations of this length fit beside the weights of one GPU.` : "Not even one conversation of this length fits beside the weights of one GPU.")
        : [h("p", {}, h("b", {}, short(now.user)), " tokens a second for each user"), h("p", {}, h("b", {}, short(now.gpu)), " tokens a second from one GPU"),
          h("p", {}, h("b", {}, `$${short(now.cost)}`), " for a million tokens written")],
      h("p", { class: "fine" }, `At most ${now.fits.toLocaleString("en")} fit.`));
    const times = [["weights, twice", 2 * now.weights, "dense"], ["matrix products", now.matmul, "expert"], ["attention", now.attention, "latent"], ["network", now.network, "token"]];
    const longest = Math.max(...times.map(([, seconds]) => seconds));
    replace(parts, times.map(([name, seconds, kind]) => bar(name, seconds / longest, `${short(1e3 * seconds)} ms`, kind)));
    const each = Object.entries(data.attentions).map(([key, name]) => [name.split(",")[0], all(key).fits, key === "mla" ? "latent" : "token"]);
    const most = Math.max(...each.map(([, fits]) => fits), 1);
    replace(compare, each.map(([name, fits, kind]) => bar(name, fits / most, fits.toLocaleString("en"), kind)));
  }
  const set = (key, convert = Number) => (value) => {
    state[key] = convert(value);
    draw();
  };
  replace(place,
    h("p", {}, `${data.model} on ${data.gpus} GPUs that share its experts. Choose what serves it; the model of serving of this course says how fast and how dear.`),
    h("div", { class: "knobs" },
      choice("Chip", Object.entries(data.chips), state.chip, set("chip", String)).element,
      choice("Attention", Object.entries(data.attentions), state.attention, set("attention", String)).element,
      slider("Tokens of context", { min: 8, max: 20, value: Math.log2(state.context), show: (value) => (2 ** value).toLocaleString("en"), oninput: (value) => set("context")(2 ** value) }).element,
      slider("Conversations a GPU", { min: 0, max: 10, value: Math.log2(state.batch), show: (value) => (2 ** value).toLocaleString("en"), oninput: (value) => set("batch")(2 ** value) }).element,
      slider("Dollars a GPU hour", { min: 0.5, max: 8, step: 0.25, value: state.price, show: (value) => `$${value}`, oninput: set("price") }).element),
    result, h("h2", {}, "Where a step’s time goes"), parts, h("h2", {}, "Conversations of this length that fit on one GPU"), compare,
    h("h2", {}, "Taken for granted"), h("ul", { class: "fine plain" }, data.assumptions.map((line) => h("li", {}, line))));
  draw();
  return { serve: (chip, attention, knobs) => serve(data.cases[chip][attention], { gpus: data.gpus, utilisation: data.utilisation, ...knobs }) };
}
