// Builds ../built from src: `npm ci && npm run build`. The output is committed, so that a user needs no Node.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const built = process.argv[2] ?? join(here, "..", "built");

// The stamp in each built file: a test compares it with the sources, without Node.
function stamp() {
  const digest = createHash("sha256");
  const names = readdirSync(join(here, "src")).map((name) => `src/${name}`);
  for (const name of [...names, "build.mjs", "package-lock.json"].sort()) {
    digest.update(`${name}\0`).update(readFileSync(join(here, name)));
  }
  return digest.digest("hex");
}

mkdirSync(built, { recursive: true });
const common = {
  bundle: true,
  minify: true,
  target: ["chrome110", "firefox115", "safari16.4"],
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  external: ["fonts/*"],
  banner: { js: `/* source ${stamp()} */`, css: `/* source ${stamp()} */` },
};
for (const name of ["deck.js", "speaker.js", "deck.css", "speaker.css", "paper.css"]) {
  await build({ ...common, entryPoints: [join(here, "src", name)], outfile: join(built, name), format: "iife" });
}

// fitty comes inside reveal.js and is installed here for its licence.
const licence = (name) => readFileSync(join(here, "node_modules", name, "LICENSE"), "utf8").trim();
const parts = ["reveal.js", "fitty"].map((name, index) => `${index + 1}. ${name}\n\n${licence(name)}\n`);
writeFileSync(
  join(built, "LICENCES.txt"),
  `What this deck carries from others, and under which licence. The fonts: IBM Plex, SIL Open Font License 1.1.\n\n${parts.join("\n")}`,
);
