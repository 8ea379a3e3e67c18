// Elements without HTML strings: whatever text comes in stays text.

/** h("a", {class: "x", href: "#", onclick: f, "aria-label": "…", hidden: true}, "text", child, [children]) */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(element.style, value); // through the object model: no inline styles in markup
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function replace(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
}

/** 325 → "5:25" */
export function clock(seconds) {
  const whole = Math.floor(seconds + 1e-6);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

const ICONS = {
  play: "M8 5v14l11-7z",
  pause: "M7 5h4v14H7zM13 5h4v14h-4z",
  next: "M6 5v14l9-7zM16 5h3v14h-3z",
  previous: "M18 5v14L9 12zM5 5h3v14H5z",
  repeat: "M12 5V1L6 6l6 5V7a5 5 0 1 1-5 5H5a7 7 0 1 0 7-7z",
  captions: "M3 5h18v14H3zM5 7v10h14V7zM7 13h5v2H7zM14 13h3v2h-3zM7 10h3v2H7zM12 10h5v2h-5z",
  sound: "M4 9v6h4l5 4V5L8 9zM15.5 8.5a5 5 0 0 1 0 7l-1.2-1.2a3.3 3.3 0 0 0 0-4.6zM18 6a8.5 8.5 0 0 1 0 12l-1.2-1.2a6.8 6.8 0 0 0 0-9.6z",
  full: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
  search: "M10 3a7 7 0 0 1 5.6 11.2l5.1 5.1-1.4 1.4-5.1-5.1A7 7 0 1 1 10 3zm0 2a5 5 0 1 0 0 10 5 5 0 0 0 0-10z",
  help: "M11 17h2v2h-2zM12 5a4.5 4.5 0 0 1 4.5 4.4c0 1.6-.9 2.5-1.9 3.3-1 .8-1.6 1.3-1.6 2.3h-2c0-2 1.2-3 2.3-3.9.8-.6 1.2-1 1.2-1.7A2.5 2.5 0 0 0 12 7a2.5 2.5 0 0 0-2.5 2.5h-2A4.5 4.5 0 0 1 12 5z",
  close: "M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4L12 13.4 6.4 19 5 17.6 10.6 12 5 6.4z",
};

export function icon(name) {
  return svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" }, svg("path", { d: ICONS[name], "fill-rule": "evenodd" }));
}

/** A modal dialog with a heading and a close button; Escape and a click beside it close it, focus returns. */
export function dialog(title, content, { wide = false, onclose } = {}) {
  const id = `dialog-${Math.random().toString(36).slice(2)}`;
  const close = h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => box.close() }, icon("close"));
  const box = h(
    "dialog",
    { class: wide ? "wide" : "", "aria-labelledby": id },
    h("div", { class: "dialog-head" }, h("h2", { id }, title), close),
    h("div", { class: "dialog-body" }, content),
  );
  const before = document.activeElement;
  box.addEventListener("click", (event) => event.target === box && box.close());
  box.addEventListener("close", () => {
    box.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
    onclose?.();
  });
  document.body.append(box);
  box.showModal();
  return box;
}
