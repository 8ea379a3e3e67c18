// The labs: knobs on the same computation. Loaded when one is opened.

import { h, replace } from "../dom.js";
import { group } from "./group.js";
import { latent } from "./latent.js";
import { routing } from "./routing.js";
import { serving } from "./serving.js";

const LABS = { group, latent, routing, serving };

globalThis.explainLab = async (place, name, tools) => {
  const data = await tools.load(`labs/${name}`);
  const inside = h("div", { class: "lab-body", "data-lab": name });
  replace(place, inside);
  globalThis.explainOpened = LABS[name](inside, data, tools); // for tests: the very objects that the page uses
};
