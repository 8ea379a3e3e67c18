// The deck: reveal.js walks, this plays. A step's film runs when its slide comes and stays on its last frame.
import Reveal from "reveal.js";
import { captions, say, toggleCaptions } from "./captions.js";
import { Speaker } from "./prompter.js";

const root = document.querySelector(".reveal");
const help = document.querySelector(".keys-list");
const [width, height] = root.dataset.size.split(" ").map(Number);
const deck = new Reveal(root, {
  width, height, margin: 0, minScale: 0.02, maxScale: 20, center: false,
  controls: false, progress: true, hash: true, hashOneBasedIndex: true, transition: "none", backgroundTransition: "none",
  autoPlayMedia: false, scrollActivationWidth: null, viewDistance: 3, mobileViewDistance: 2, navigationMode: "linear",
});
const speaker = new Speaker(deck, command);
const start = document.querySelector(".start");
const filmOf = (slide) => slide?.querySelector("video") ?? null;
const now = () => filmOf(deck.getCurrentSlide());

for (const film of document.querySelectorAll("video")) {
  captions(film);
  for (const event of ["play", "pause", "ended", "timeupdate"]) film.addEventListener(event, () => speaker.tell());
}

function play(film) {
  start.hidden = true;
  film.play().catch((error) => {
    if (error.name !== "NotAllowedError" || film !== now()) return; // it was left before it began
    start.hidden = false; // the browser wants a click or a key before it lets a page speak
  });
}

function restart(film = now()) {
  if (!film) return;
  film.currentTime = 0;
  play(film);
}

function rest(film) {
  film.pause();
  const last = () => { film.currentTime = Math.max(0, film.duration - 0.001); };
  if (film.readyState > 0) last();
  else film.addEventListener("loadedmetadata", last, { once: true });
}

// Going on plays; one step back shows what stood there, as a class that asks about it wants to see it.
function arrived({ currentSlide, previousSlide }) {
  filmOf(previousSlide)?.pause();
  start.hidden = true;
  const film = filmOf(currentSlide);
  const back = previousSlide && currentSlide.nextElementSibling === previousSlide && !deck.isOverview();
  if (film && back) rest(film);
  else if (film && !deck.isOverview()) restart(film);
  say(film);
  speaker.tell();
}

function step() {
  const film = now();
  if (deck.isOverview()) deck.toggleOverview(false);
  else if (film && !film.paused) film.pause();
  else if (film && !film.ended && film.duration - film.currentTime > 0.01) play(film);
  else deck.next();
}

function command(name) {
  const all = { next: () => deck.next(), back: () => deck.prev(), step, replay: () => restart() };
  all[name]?.();
}

deck.on("ready", arrived);
deck.on("slidechanged", arrived);
deck.on("overviewhidden", () => { if (now()?.currentTime === 0) restart(); });
start.addEventListener("click", () => restart());
const own = { 32: step, 67: toggleCaptions, 82: () => restart(), 83: () => speaker.open() }; // space, C, R, S
for (const [code, action] of Object.entries(own)) deck.addKeyBinding(Number(code), action);
// The question mark is on another key of every layout, and reveal.js knows one of them: as its pause.
deck.addKeyBinding(191, () => {});
addEventListener("keydown", (event) => { if (event.key === "?" && !help.open) help.showModal(); });
help.addEventListener("keydown", (event) => {
  if (!help.open) return; // just closed, it has the keys until the next picture is drawn: they are the deck's again
  event.stopPropagation();
  if (event.key === "?") help.close();
});
help.addEventListener("click", () => help.close());
deck.initialize().then(() => { document.documentElement.dataset.ready = ""; });
