// The speaker's window, seen from the deck: it is told what is on the screen, and it may ask for a step.
// Pages opened as files have no origin of their own, so both sides talk only to the window that they know.
export class Speaker {
  constructor(deck, command) {
    this.deck = deck;
    this.window = null;
    addEventListener("message", (event) => {
      if (!this.window || event.source !== this.window) return;
      if (event.data?.ask === "state") this.tell();
      else if (typeof event.data?.command === "string") command(event.data.command);
    });
  }

  open() {
    if (this.window && !this.window.closed) this.window.focus();
    else this.window = open("speaker.html", "_blank", "popup,width=1180,height=760");
  }

  tell() {
    if (this.window && !this.window.closed) this.window.postMessage(this.state(), "*");
  }

  state() {
    const slide = this.deck.getCurrentSlide();
    const film = slide.querySelector("video");
    const next = slide.nextElementSibling;
    return {
      place: this.deck.getSlidePastCount() + 1,
      total: this.deck.getTotalSlides(),
      title: slide.dataset.title ?? "",
      picture: picture(slide),
      next: next ? { title: next.dataset.title ?? "", picture: picture(next) } : null,
      words: text(slide.querySelector("aside.notes p")),
      numbers: [...slide.querySelectorAll("aside.notes li")].map((row) => ({
        text: text(row.querySelector("b")), name: text(row.querySelector(".name")), from: text(row.querySelector(".from")),
      })),
      film: film ? { time: film.currentTime, duration: film.duration || 0, playing: !film.paused } : null,
    };
  }
}

const text = (element) => element?.textContent ?? "";
const picture = (slide) => slide.querySelector("img")?.getAttribute("src") ?? "";
