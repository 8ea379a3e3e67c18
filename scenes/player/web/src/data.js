// Data comes as classic scripts that call explainData(name, value): this works from file://, where fetch does not.

const arrived = new Map();
const waiting = new Map();

globalThis.explainData = (name, value) => {
  arrived.set(name, value);
  waiting.get(name)?.(value);
  waiting.delete(name);
};

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_./-]*$/;

/** Loads data/<name>.js once. */
export function load(name) {
  if (arrived.has(name)) return Promise.resolve(arrived.get(name));
  if (!NAME.test(name) || name.includes("..")) return Promise.reject(new Error(`no data is called ${name}`));
  return new Promise((done, failed) => {
    waiting.set(name, done);
    const script = document.createElement("script");
    script.src = `data/${name}.js`;
    script.onerror = () => failed(new Error(`data/${name}.js could not be loaded`));
    document.head.append(script);
  });
}

/** Resolves when data that the page itself loads is there. */
export function given(name) {
  return arrived.has(name) ? Promise.resolve(arrived.get(name)) : new Promise((done) => waiting.set(name, done));
}
