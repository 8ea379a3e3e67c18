// Lecture 7: one group of answers under GRPO (explainers/grpo.py), with rewards of one's own.

import { h, replace } from "../dom.js";
import { choice } from "./parts.js";

/** (r − mean) / spread over the group; nothing where all rewards are equal (R1, equation 3). */
export function advantages(rewards) {
  const mean = rewards.reduce((a, b) => a + b, 0) / rewards.length;
  const spread = Math.sqrt(rewards.reduce((a, b) => a + (b - mean) ** 2, 0) / rewards.length);
  const equal = spread <= 1e-6 * Math.max(1, ...rewards.map(Math.abs));
  return { mean, spread, values: rewards.map((reward) => (equal ? 0 : (reward - mean) / spread)) };
}

/** The clipped product of one token, and whether the clip holds it (DeepSeekMath, equation 3). */
export function term(ratio, advantage, clip) {
  const plain = ratio * advantage;
  const held = Math.min(Math.max(ratio, 1 - clip), 1 + clip) * advantage;
  return { objective: Math.min(plain, held), clipped: held < plain };
}

export function group(place, data) {
  const rewards = [...data.rewards];
  let moment = 0;
  const summary = h("p", { role: "status" });
  const rows = data.answers.map((answer, index) => {
    const input = h("input", { type: "number", min: -2, max: 2, step: 0.1, value: rewards[index], "aria-label": `Reward of answer ${index + 1}`, oninput: () => {
      rewards[index] = Number(input.value) || 0;
      draw();
    } });
    const tokens = h("td", { class: "tokens" });
    const fill = h("span", { class: "two-sided" }, h("span", {}));
    const value = h("code", {});
    return { input, tokens, fill, value, element: h("tr", {}, h("th", { scope: "row" }, String(index + 1)), tokens, h("td", {}, input), h("td", {}, fill), h("td", {}, value)) };
  });

  function draw() {
    const { mean, spread, values } = advantages(rewards);
    summary.textContent = spread > 0 ? `Mean reward ${mean.toFixed(2)}, spread ${spread.toFixed(2)}.` : "All rewards are equal: nothing can be learnt from this group.";
    const most = Math.max(...values.map(Math.abs), 1e-9);
    rows.forEach((row, index) => {
      const advantage = values[index];
      row.value.textContent = advantage.toFixed(2).replace("-", "−");
      const share = (50 * Math.abs(advantage)) / most;
      Object.assign(row.fill.firstChild.style, { left: `${advantage < 0 ? 50 - share : 50}%`, width: `${share}%` });
      row.fill.firstChild.className = advantage < 0 ? "down" : "up";
      replace(row.tokens, data.answers[index].map((token, at) => {
        const ratio = data.ratio[moment][index][at];
        const { clipped } = term(ratio, advantage, data.clip);
        return h("span", { class: `chip ${clipped ? "clipped" : ratio > 1.02 ? "likelier" : ratio < 0.98 ? "rarer" : ""}`, title: `${ratio.toFixed(2)} times as likely as when it was written${clipped ? "; held by the clip" : ""}` }, token);
      }));
    });
  }
  const setAll = (given) => {
    given.forEach((reward, index) => {
      rewards[index] = reward;
      rows[index].input.value = reward;
    });
    draw();
  };
  replace(place,
    h("p", {}, "One question, sixteen answers that the small model wrote. Give rewards of your own: an answer is pushed up when it beats the group, and down when it falls behind."),
    h("p", {}, h("span", { class: "fine" }, "Question "), data.prompt.map((token) => h("span", { class: "chip" }, token))),
    h("div", { class: "buttons" },
      h("button", { type: "button", class: "outline", onclick: () => setAll(data.rewards) }, "Rewards of the run"),
      h("button", { type: "button", class: "outline", onclick: () => setAll(data.answers.map((answer) => answer.length / 10)) }, "Reward length"),
      h("button", { type: "button", class: "outline", onclick: () => setAll(data.rewards.map(() => 1)) }, "All equal"),
      choice("Likelihoods", data.moments.map((name, index) => [index, name]), 0, (value) => { moment = Number(value); draw(); }).element),
    summary,
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Answers, rewards and advantages" },
      h("table", { class: "answers" }, h("thead", {}, h("tr", {}, ["No.", "Answer", "Reward", "Advantage", "Its value"].map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, rows.map((row) => row.element)))),
    h("p", { class: "fine" }, `Green and solid: likelier than when it was written. Red and dotted: rarer. Double: held by the clip at ±${data.clip}, under your rewards. The likelihoods are those of the run’s own updates, with the rewards of the run.`));
  draw();
  return { advantages, term };
}
