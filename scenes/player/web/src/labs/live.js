// What the labs share that run a model on the text one types: the runtime and the model behind the recorded example, and
// one computation after another, the last one shown.

import { h } from "../dom.js";

const MOST = 96; // tokens that are shown
const WAIT = 120; // ms after the last key

/** Token ids of a text as the model's input, and their looks. */
export function tokensOf(tokenizer, text) {
  const ids = tokenizer.encode(text).slice(0, MOST);
  return { ids, tokens: ids.map((id) => tokenizer.display(id)), input: globalThis.explainTensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]) };
}

export const integer = (value) => globalThis.explainTensor("int64", BigInt64Array.of(BigInt(value)), []);

/** The likeliest next tokens of logits: [token, probability]. */
export function likeliest(logits, count = 5) {
  const most = Math.max(...logits);
  const powers = Array.from(logits, (value) => Math.exp(value - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power, token) => [token, power / sum]).sort((a, b) => b[1] - a[1]).slice(0, count);
}

/**
 * A field for text, a line that says what goes on, and `later`, to be called when a knob was turned. `compute(session)`
 * gives what `show` draws; `place` says for tests when the model is there and which turn was drawn.
 */
export function live(place, { model, load, tokenizer, start, compute, show }) {
  const status = h("p", { class: "fine", role: "status" }, "Recorded example; the model is loading …");
  const text = h("textarea", { rows: 3, maxlength: 400, spellcheck: "false", oninput: () => later() });
  text.value = start;
  let session = null;
  let timer = 0;
  let turn = 0;

  function later() {
    clearTimeout(timer);
    timer = setTimeout(run, WAIT);
  }

  async function run() {
    if (!session) return;
    if (!text.value.trim()) {
      status.textContent = "Type a word.";
      return;
    }
    const mine = ++turn;
    const begun = performance.now();
    try {
      const result = await compute(session, text.value);
      if (mine !== turn) return;
      const cut = tokenizer.encode(text.value).length > MOST ? `, the first ${MOST}` : "";
      const count = result.tokens.length;
      status.textContent = `${count} ${count === 1 ? "token" : "tokens"}${cut}, computed here in ${Math.round(performance.now() - begun)} ms.`;
      show(result);
      place.dataset.computed = String(mine);
    } catch (error) {
      status.textContent = `The model could not run: ${error.message}`;
    }
  }

  Promise.all([load("labs/ort"), load(`labs/${model}`), script("assets/ort.js")])
    .then(([runtime, file]) => globalThis.explainSession(runtime, file))
    .then((made) => {
      session = made;
      place.dataset.ready = "yes";
      return run();
    })
    .catch((error) => { status.textContent = `The model could not be loaded (${error.message}); the recorded example stays.`; });
  return { status, field: h("label", { class: "text-field" }, "Text", text), later, session: () => session };
}

const scripts = new Map();
function script(src) {
  if (!scripts.has(src)) {
    scripts.set(src, new Promise((done, failed) => {
      const element = document.createElement("script");
      element.src = src;
      element.onload = () => done();
      element.onerror = () => failed(new Error(`${src} could not be loaded`));
      document.head.append(element);
    }));
  }
  return scripts.get(src);
}
