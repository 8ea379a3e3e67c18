// Captions from the page itself: a file beside it could not be read where the deck is opened as a file.
const shown = document.querySelector(".captions");

// Adds a film's cues; while it plays, the words of the one that is due stand in the element for captions.
export function captions(film) {
  const cues = JSON.parse(film.dataset.cues ?? "[]");
  if (!cues.length) return;
  const track = film.addTextTrack("captions", "", document.documentElement.lang);
  track.mode = "hidden"; // this page shows them; the browser's own are cut where a slide is scaled
  for (const [begin, end, text] of cues) track.addCue(new VTTCue(begin, end, text));
  track.addEventListener("cuechange", () => say(film));
}

export function say(film) {
  shown.textContent = [...(film?.textTracks[0]?.activeCues ?? [])].map((cue) => cue.text).join("\n");
}

export function toggleCaptions() {
  shown.hidden = !shown.hidden;
}
