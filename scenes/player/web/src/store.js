// What this browser remembers: settings, and where one left off. A browser that refuses storage forgets, no more.

const KEY = "explain-deepseek";

function all() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

export function recall(name, otherwise) {
  return all()[name] ?? otherwise;
}

export function remember(name, value) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...all(), [name]: value }));
  } catch {
    // private windows and full disks
  }
}
