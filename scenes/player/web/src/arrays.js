// Arrays as they came from Python: bytes to numbers, slices, CSV and NPY.

const READERS = {
  "<f4": (buffer) => new Float32Array(buffer),
  "<f8": (buffer) => new Float64Array(buffer),
  "<i4": (buffer) => new Int32Array(buffer),
  "<i8": (buffer) => Float64Array.from(new BigInt64Array(buffer), Number),
  "|u1": (buffer) => new Uint8Array(buffer),
  "|b1": (buffer) => new Uint8Array(buffer),
};

export function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** The values of an array in C order. */
export function valuesOf(array) {
  array.values ??= READERS[array.dtype](bytesOf(array.data).buffer);
  return array.values;
}

/** Rows of the slice over axes `row` and `column` (−1: a single row or column), the others fixed at `at`. */
export function slice(array, row, column, at) {
  const values = valuesOf(array);
  const strides = array.shape.map((_, axis) => array.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const base = strides.reduce((sum, stride, axis) => sum + (axis === row || axis === column ? 0 : stride * (at[axis] ?? 0)), 0);
  const height = row < 0 ? 1 : array.shape[row];
  const width = column < 0 ? 1 : array.shape[column];
  return Array.from({ length: height }, (_, i) =>
    Array.from({ length: width }, (_, j) => values[base + (row < 0 ? 0 : strides[row] * i) + (column < 0 ? 0 : strides[column] * j)]));
}

/** Indices of the cells that hold exactly this value, at most `most`. */
export function cellsWith(array, value, most = 2) {
  const found = [];
  const values = valuesOf(array);
  for (let flat = 0; flat < values.length && found.length < most; flat++) {
    if (values[flat] === value) found.push(unflatten(flat, array.shape));
  }
  return found;
}

function unflatten(flat, shape) {
  const index = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(flat % shape[axis]);
    flat = Math.floor(flat / shape[axis]);
  }
  return index;
}

const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** One line a value: an index (or label) for each axis, then the value. Spreadsheets and pandas read it. */
export function csv(array) {
  const values = valuesOf(array);
  const lines = [[...array.axes, array.name].map(quoted).join(",")];
  for (let flat = 0; flat < values.length; flat++) {
    const places = unflatten(flat, array.shape).map((index, axis) => quoted(String(array.labels[array.axes[axis]]?.[index] ?? index)));
    lines.push([...places, String(values[flat])].join(","));
  }
  return `${lines.join("\n")}\n`;
}

/** The array as a .npy file, format 1.0 (NEP 1): the very bytes that Python wrote. */
export function npy(array) {
  const shape = `(${array.shape.map((length) => `${length},`).join(" ")})`;
  const about = `{'descr': '${array.dtype}', 'fortran_order': False, 'shape': ${shape}, }`;
  const length = Math.ceil((10 + about.length + 1) / 64) * 64;
  const head = `${about.padEnd(length - 11)}\n`;
  const data = bytesOf(array.data);
  const file = new Uint8Array(length + data.length);
  file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, head.length & 255, head.length >> 8]);
  for (let index = 0; index < head.length; index++) file[10 + index] = head.charCodeAt(index);
  file.set(data, length);
  return file;
}

export function shortNumber(value) {
  if (!Number.isFinite(value)) return String(value).replace("-Infinity", "−∞").replace("Infinity", "∞");
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value).replace("-", "−");
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : value.toPrecision(4).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  return text.replace(/-/g, "−");
}
