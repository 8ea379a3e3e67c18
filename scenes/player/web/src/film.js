// The film and its steps: three ways to go through it, one state. Views listen to "change" and "time".
//
//   walk    the film plays to the end of the step and stops there
//   watch   it plays on
//   stills  a picture for each step, no motion at all

import { film as fileOf, stepAt, stepsOf } from "./course.js";
import { h } from "./dom.js";
import { recall, remember } from "./store.js";

export const MODES = ["walk", "watch", "stills"];
export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export function defaultMode() {
  const chosen = recall("mode", null);
  if (chosen && MODES.includes(chosen.mode) && chosen.calm === calm.matches) return chosen.mode;
  return calm.matches ? "stills" : "walk";
}

export class Film extends EventTarget {
  constructor(lecture) {
    super();
    this.lecture = lecture;
    this.steps = stepsOf(lecture);
    this.index = 0;
    this.mode = defaultMode();
    this.speed = SPEEDS.includes(recall("speed", 1)) ? recall("speed", 1) : 1;
    this.captionsOn = recall("captions", true);
    this.stopAt = null;
    this.pending = null; // where to go once the film can seek
    this.video = h("video", {
      playsinline: true, preload: "none", width: lecture.width, height: lecture.height, tabindex: "-1",
      "aria-label": `Film of lecture ${lecture.number}: ${lecture.title}`, "aria-describedby": "step-alternative",
    });
    this.picture = h("img", { class: "still", alt: "", width: lecture.width, height: lecture.height, decoding: "async" });
    this.video.muted = recall("muted", false);
    this.track = this.video.addTextTrack("captions", "Captions", lecture.lang);
    this.#listen();
    this.#showPoster();
  }

  get step() {
    return this.steps[this.index];
  }

  get time() {
    if (this.pending !== null) return this.pending;
    return this.mode === "stills" ? this.step.stop : this.video.currentTime;
  }

  get playing() {
    return this.mode !== "stills" && !this.video.paused && !this.video.ended;
  }

  /** Whether the picture that is seen is the one at the end of the step, for which the numbers' places are known. */
  get atRest() {
    if (this.mode === "stills") return true;
    if (this.playing) return false;
    return this.untouched ? this.restPoster : this.time >= this.step.still - 1e-3 && this.time < this.step.end;
  }

  get untouched() {
    return this.video.preload === "none";
  }

  setCaptions(cues) {
    for (const [start, end, text] of cues) {
      const cue = new VTTCue(start, end, text.replace(/&/g, "&amp;").replace(/</g, "&lt;"));
      this.track.addCue(cue);
    }
    this.#showCaptions();
  }

  toggleCaptions() {
    this.captionsOn = !this.captionsOn;
    remember("captions", this.captionsOn);
    this.#showCaptions();
    this.#changed();
  }

  toggleSound() {
    this.video.muted = !this.video.muted;
    remember("muted", this.video.muted);
    this.#changed();
  }

  setSpeed(speed) {
    this.speed = speed;
    this.video.playbackRate = speed;
    remember("speed", speed);
    this.#changed();
  }

  setMode(mode) {
    const time = this.time;
    this.video.pause();
    this.mode = mode;
    remember("mode", { mode, calm: calm.matches });
    if (mode === "stills") this.#showStill();
    else if (!this.untouched) this.#seek(Math.min(time, this.step.stop));
    this.#changed();
  }

  // ------------------------------------------------------------------ moving
  /** Go to a step: to its beginning, or to its end picture. */
  go(index, { play = false, end = false } = {}) {
    this.index = Math.min(Math.max(index, 0), this.steps.length - 1);
    if (this.mode === "stills") this.#showStill();
    else if (this.untouched && !play) this.#showPoster();
    else {
      this.video.pause();
      this.#seek(end ? this.step.stop : this.step.start);
      if (play) this.play();
    }
    this.#changed();
  }

  /** Go to a time, as a click on the progress bar asks. */
  seek(time) {
    const at = Math.min(Math.max(time, 0), this.lecture.seconds - 0.05);
    const index = stepAt(this.steps, at);
    if (this.mode === "stills") return this.go(index);
    this.index = index;
    const playing = this.playing;
    this.#seek(at);
    this.stopAt = this.mode === "walk" ? this.step.stop : null;
    if (playing) this.play();
    this.#changed();
    return undefined;
  }

  next() {
    if (this.index + 1 < this.steps.length) this.go(this.index + 1, { play: this.mode === "walk" || this.playing });
  }

  previous() {
    this.go(this.index - 1, { play: this.mode === "walk" || this.playing });
  }

  repeat() {
    this.go(this.index, { play: this.mode !== "stills" });
  }

  /** To the end picture of this step, without playing. */
  rest() {
    this.go(this.index, { end: true });
    if (this.untouched) {
      this.restPoster = true;
      this.#changed();
    }
  }

  toggle() {
    if (this.mode === "stills") return this.next();
    if (this.playing) return this.video.pause();
    const rested = this.time >= this.step.stop - 0.02;
    if (this.mode === "walk" && rested && !this.untouched) {
      if (this.index + 1 < this.steps.length) return this.next();
      return this.go(0, { play: true });
    }
    return this.play();
  }

  play() {
    if (this.untouched) {
      this.video.preload = "auto";
      this.video.src = fileOf(this.lecture, `${this.lecture.name}.mp4`);
      this.video.load();
      if (this.pending === null) this.#seek(this.step.start);
    }
    this.picture.hidden = true;
    this.stopAt = this.mode === "walk" ? this.step.stop : null;
    this.video.playbackRate = this.speed;
    this.video.play().catch((error) => {
      if (error.name !== "AbortError") this.dispatchEvent(new CustomEvent("failed", { detail: error }));
    });
  }

  leave() {
    this.gone = true;
    this.video.pause();
    this.video.removeAttribute("src");
  }

  // ------------------------------------------------------------------ inside
  #seek(time) {
    this.restPoster = false;
    if (this.video.readyState >= 1) {
      this.pending = null;
      this.video.currentTime = Math.max(0, time) + 1e-3;
    } else {
      this.pending = time;
      if (!this.untouched) return;
      this.video.preload = "auto";
      this.video.src = fileOf(this.lecture, `${this.lecture.name}.mp4`);
      this.video.load();
    }
    this.picture.hidden = true;
  }

  #showStill() {
    this.picture.src = fileOf(this.lecture, `step-${this.step.picture}.webp`);
    this.picture.alt = this.step.alt;
    this.picture.hidden = false;
  }

  /** Before the film is loaded, a step's own picture stands where it will play. */
  #showPoster() {
    this.restPoster = false;
    this.picture.hidden = this.mode !== "stills";
    if (this.mode === "stills") this.#showStill();
    this.video.poster = fileOf(this.lecture, `step-${this.step.picture}.webp`);
  }

  #showCaptions() {
    this.track.mode = this.captionsOn ? "showing" : "hidden";
  }

  #listen() {
    const { video } = this;
    video.addEventListener("loadedmetadata", () => {
      if (this.pending === null) return;
      video.currentTime = this.pending + 1e-3;
      this.pending = null;
    });
    video.addEventListener("play", () => {
      this.#changed();
      this.#follow();
    });
    for (const name of ["pause", "seeked", "ended", "ratechange"]) video.addEventListener(name, () => this.#moved());
    video.addEventListener("timeupdate", () => this.#moved());
    video.addEventListener("error", () => video.src && !this.gone && this.dispatchEvent(new CustomEvent("failed", { detail: video.error })));
  }

  /** While it plays, once a frame: stop at the end of the step, tell where we are. */
  #follow() {
    if (this.gone || !this.playing) return;
    this.#moved();
    if (this.playing) requestAnimationFrame(() => this.#follow());
  }

  #moved() {
    if (this.mode === "stills" || this.pending !== null) return;
    if (this.stopAt !== null && this.playing && this.video.currentTime >= this.stopAt) {
      const stop = this.stopAt;
      this.stopAt = null;
      this.video.pause();
      this.index = stepAt(this.steps, stop);
      if (Math.abs(this.video.currentTime - stop) > 0.03) this.video.currentTime = stop;
      this.#changed();
      return;
    }
    if (!this.video.seeking) {
      const index = stepAt(this.steps, this.video.currentTime);
      if (index !== this.index) {
        this.index = index;
        this.#changed();
        return;
      }
    }
    const rest = `${this.playing} ${this.atRest}`;
    if (rest !== this.said) this.#changed();
    else this.dispatchEvent(new Event("time"));
  }

  #changed() {
    this.said = `${this.playing} ${this.atRest}`;
    this.dispatchEvent(new Event("change"));
  }
}
