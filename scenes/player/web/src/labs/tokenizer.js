// The project's byte-level BPE (explainers/tokenizer.py), the same ids for the same text.

// What Python's \d, \s and \w mean for str, in classes of Unicode.
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const WORDS = new RegExp(
  `\\p{Nd}| ?[\\p{L}\\p{Nl}\\p{No}]+| ?[^\\p{L}\\p{N}_${SPACE}]+| ?_+|[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`, "gu");
const VISIBLE = { " ": "·", "\n": "↵", "\t": "⇥" };

export class Tokenizer {
  constructor(merges) {
    this.rank = new Map(merges.map(([a, b], number) => [a * 65536 + b, number]));
    this.pieces = Array.from({ length: 256 }, (_, byte) => [byte]);
    for (const [a, b] of merges) this.pieces.push([...this.pieces[a], ...this.pieces[b]]);
    this.end = this.pieces.length;
    this.words = new Map();
  }

  encode(text) {
    return (text.match(WORDS) ?? []).flatMap((word) => this.#word(word));
  }

  display(token) {
    if (token === this.end) return "‹end›";
    const bytes = Uint8Array.from(this.pieces[token]);
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      return [...text].map((letter) => VISIBLE[letter] ?? letter).join("");
    } catch {
      return [...bytes].map((byte) => `‹${byte.toString(16).padStart(2, "0")}›`).join("");
    }
  }

  #word(word) {
    const known = this.words.get(word);
    if (known) return known;
    let ids = [...new TextEncoder().encode(word)];
    while (ids.length > 1) {
      let best = Infinity;
      for (let at = 0; at + 1 < ids.length; at++) best = Math.min(best, this.rank.get(ids[at] * 65536 + ids[at + 1]) ?? Infinity);
      if (best === Infinity) break;
      const merged = [];
      for (let at = 0; at < ids.length; at++) {
        if (at + 1 < ids.length && this.rank.get(ids[at] * 65536 + ids[at + 1]) === best) {
          merged.push(256 + best);
          at++;
        } else merged.push(ids[at]);
      }
      ids = merged;
    }
    this.words.set(word, ids);
    return ids;
  }
}
