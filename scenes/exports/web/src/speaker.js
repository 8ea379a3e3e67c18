// The speaker's window: words, numbers with their origins, what comes next, and the time.
const by = (id) => document.getElementById(id);
const deck = window.opener;
let begun = null;

function show(state) {
  by("place").textContent = `${state.place} / ${state.total}`;
  by("title").textContent = state.title;
  by("words").textContent = state.words;
  by("numbers").replaceChildren(...state.numbers.map(row));
  image("now", state.picture, state.title);
  image("next", state.next?.picture, state.next?.title);
  by("next-title").textContent = state.next ? `${document.body.dataset.next}: ${state.next.title}` : document.body.dataset.end;
  by("film").hidden = !state.film;
  if (state.film) { by("film").max = state.film.duration || 1; by("film").value = state.film.time; }
  if (begun === null && state.place > 1) begun = Date.now();
}

function image(id, address, title) {
  by(id).hidden = !address;
  if (address && by(id).getAttribute("src") !== address) by(id).src = address;
  by(id).alt = title ?? "";
}

function row({ text, name, from }) {
  const made = document.createElement("li");
  const value = document.createElement("b");
  const origin = document.createElement("span");
  value.textContent = text;
  origin.textContent = from;
  origin.className = "from";
  made.append(value, ` ${name}`, origin);
  return made;
}

function clock() {
  const seconds = begun === null ? 0 : Math.floor((Date.now() - begun) / 1000);
  by("elapsed").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  by("clock").textContent = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
}

const keys = { ArrowRight: "next", PageDown: "next", ArrowDown: "next", n: "next", ArrowLeft: "back", PageUp: "back", ArrowUp: "back", p: "back", " ": "step", r: "replay" };
const ask = (command) => deck?.postMessage({ command }, "*");

addEventListener("message", (event) => { if (event.source === deck && event.data?.total) show(event.data); });
addEventListener("keydown", (event) => {
  if (event.target instanceof HTMLButtonElement && (event.key === " " || event.key === "Enter")) return;
  if (keys[event.key]) { event.preventDefault(); ask(keys[event.key]); }
});
for (const button of document.querySelectorAll("[data-command]")) button.addEventListener("click", () => ask(button.dataset.command));
by("elapsed").addEventListener("click", () => { begun = Date.now(); clock(); });
setInterval(clock, 500);
clock();
deck?.postMessage({ ask: "state" }, "*");
