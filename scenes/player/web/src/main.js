// The page: the course, a lecture, search; addresses lead to both.

import { parse } from "./course.js";
import { given } from "./data.js";
import { h, icon } from "./dom.js";
import { useScales } from "./heat.js";
import { onKeys, openHelp } from "./keys.js";
import { openLecture } from "./player.js";
import { openSearch } from "./search.js";
import { recall } from "./store.js";
import { showLab } from "./try.js";

async function start() {
  const course = await given("course");
  useScales(course.scales);
  const main = document.getElementById("main");
  const home = [...main.childNodes];
  let open = null;
  let stopKeys = () => {};

  const search = () => openSearch(course, go);
  document.getElementById("top").append(
    h("button", { type: "button", class: "top-search", onclick: search }, icon("search"), h("span", {}, "Search")));
  if (recall("last", null) !== null) markLast();

  function markLast() {
    const lecture = course.lectures.find((one) => one.id === recall("last", null));
    const at = lecture ? recall(`at ${lecture.id}`, 0) : 0;
    if (!lecture || !at) return;
    const intro = main.querySelector(".intro");
    intro?.querySelector(".go-on")?.remove();
    intro?.append(h("p", { class: "go-on" }, h("a", { href: `#${lecture.id}` }, "Go on where you left off: "), h("span", { lang: lecture.lang }, lecture.title)));
  }

  function go(hash) {
    if (location.hash === hash) show();
    else location.hash = hash;
  }

  function show() {
    const { lecture, index } = parse(course, location.hash);
    if (lecture && open?.lecture === lecture) {
      if (index !== null && (index !== open.film.index || !open.film.playing)) open.film.go(index, { play: open.film.playing });
      return;
    }
    const lab = course.labs.find(({ name }) => location.hash === `#try/${name}`);
    open?.close();
    stopKeys();
    stopKeys = () => {};
    open = null;
    document.body.classList.toggle("in-lecture", Boolean(lecture));
    if (lecture) {
      open = openLecture(main, lecture, index, { search });
      document.title = `${lecture.number} · ${lecture.title}`;
      scrollTo(0, 0);
    } else if (lab) {
      showLab(main, lab);
      stopKeys = onKeys({ "/": search, "?": openHelp });
      document.title = lab.title;
      scrollTo(0, 0);
    } else {
      main.replaceChildren(...home);
      markLast();
      stopKeys = onKeys({ "/": search, "?": openHelp });
      document.title = "Explain DeepSeek";
    }
  }

  addEventListener("hashchange", show);
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest('a[href^="#"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const hash = link.getAttribute("href");
    if (hash === "#main") {
      event.preventDefault(); // addresses are for lectures; the skip link moves the focus alone
      main.focus();
    } else if (hash === location.hash) show();
  });
  show();
  document.documentElement.dataset.ready = "yes";
}

start();
