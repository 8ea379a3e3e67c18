// Builds ../built from src: `npm ci && npm run build`. The output is committed, so that a user needs no Node.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const built = process.argv[2] ?? join(here, "..", "built");

// The stamp in each built file: a test compares it with the sources, without Node.
export function stamp() {
  const digest = createHash("sha256");
  const files = readdirSync(join(here, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(here.length + 1).replaceAll("\\", "/"));
  for (const name of [...files, "build.mjs", "package-lock.json"].sort()) {
    digest.update(`${name}\0`).update(readFileSync(join(here, name)));
  }
  return digest.digest("hex");
}

const FONTS = [
  ["sans", "latin", 400], ["sans", "latin", 600], ["sans", "latin-ext", 400], ["sans", "latin-ext", 600],
  ["sans", "greek", 400], ["sans", "greek", 600], ["mono", "latin", 400],
];
mkdirSync(join(built, "fonts"), { recursive: true });
for (const [family, subset, weight] of FONTS) {
  const name = `ibm-plex-${family}-${subset}-${weight}-normal.woff2`;
  copyFileSync(join(here, "node_modules", "@fontsource", `ibm-plex-${family}`, "files", name), join(built, "fonts", name));
}
const common = {
  bundle: true,
  minify: true,
  target: ["chrome110", "firefox115", "safari16.4"],
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  banner: { js: `/* source ${stamp()} */`, css: `/* source ${stamp()} */` },
};
const inside = (name) => join(here, "src", name);
await build({ ...common, entryPoints: [inside("main.js")], outfile: join(built, "player.js"), format: "iife" });
await build({ ...common, entryPoints: [inside("player.css")], outfile: join(built, "player.css"), external: ["fonts/*"] });
await build({ ...common, entryPoints: [inside("labs/main.js")], outfile: join(built, "labs.js"), format: "iife" });
await build({
  ...common,
  entryPoints: [inside("labs/ort.js")],
  outfile: join(built, "ort.js"),
  format: "iife",
  define: { "import.meta.url": "document.baseURI" },
});
const runtime = join(here, "node_modules", "onnxruntime-web", "dist", "ort-wasm-simd-threaded.wasm");
writeFileSync(join(built, "ort.wasm.gz"), gzipSync(readFileSync(runtime), { level: 9 }));
