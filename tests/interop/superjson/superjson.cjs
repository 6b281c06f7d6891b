// Runs the real superjson, registered and marked as the DBOS SDK does it.
//   node superjson.cjs DIR write             -> {"name": text, ...}  one of everything
//   node superjson.cjs DIR read  < [text]    -> [description, ...]   what JavaScript makes of each text
// DIR is a folder with superjson in its node_modules.
const path = require("node:path");
const { createRequire } = require("node:module");
const superjson = createRequire(path.join(process.argv[2], "index.js"))("superjson").default;

superjson.registerCustom(
  { isApplicable: (v) => Buffer.isBuffer(v), serialize: (v) => Array.from(v), deserialize: (v) => Buffer.from(v) },
  "Buffer",
);
superjson.registerCustom(
  { isApplicable: (v) => v instanceof Handle, serialize: (v) => ({ wfid: v.wfid }), deserialize: (v) => new Handle(v.wfid) },
  "DBOS.WorkflowHandle",
);
class Handle { constructor(wfid) { this.wfid = wfid; } }
class Point { constructor() { this.x = 1; } }
superjson.registerClass(Point, { identifier: "Point" });

const when = new Date("2025-06-15T15:06:40.007Z");
const shared = { a: 1 };
const cycle = { name: "c", inner: { list: [] } };
cycle.inner.list.push(cycle);
const values = {
  arguments: [1, "a", { x: [1] }],
  none: [],
  null: null,
  undefined: undefined,
  undefined_members: { a: undefined, b: [undefined, 1] },
  date: when,
  date_early: new Date("0033-04-03T00:00:00.000Z"),
  date_far: new Date(8.64e15),
  dates: { list: [when, { at: when }], "plain key": when },
  bigint: 10n,
  bigints: [2n ** 64n, -(2n ** 64n)],
  nan: [NaN, Infinity, -Infinity, -0],
  set: new Set([1, "a"]),
  set_of_dates: { s: new Set([when]) },
  set_of_objects: new Set([{ a: 1 }]),
  map: new Map([["a", 1], ["b", when]]),
  map_of_odd_keys: new Map([[1, "x"], [2n ** 60n, "y"], [true, null]]),
  map_of_objects: new Map([[{ a: 1 }, 2]]),
  map_in_map: new Map([[1, new Map([[when, new Set([1n])]])]]),
  regexp: /a\/g/gi,
  url: new URL("https://example.org/a?b=c"),
  bytes: new Uint8Array([0, 127, 255]),
  clamped: new Uint8ClampedArray([1]),
  buffer: { b: Buffer.from("hé") },
  floats: new Float64Array([1.5, -2]),
  dotted: { "a.b": { at: when, "c.d": { e: 1n } } },
  dotted_leaf: { "a.b": when, a: { b: "not a date" } },
  numeric_keys: { 0: when, 1: { 2: when } },
  empty_key: { "": { "": when } },
  shared: { a: shared, b: [shared] },
  cycle: cycle,
  error: { e: new RangeError("m") },
  class: new Point(),
  handle: { h: new Handle("wf-1") },
  text: "\u0000\u2028é😀",
  large: Number.MAX_SAFE_INTEGER,
  deep: [[[[[[[[when]]]]]]]],
};

function stringify(value) {
  return JSON.stringify({ ...superjson.serialize(value), __dbos_serializer: "superjson" });
}

function describe(v) {
  if (v === undefined) return { $: "undefined" };
  if (v === null || typeof v === "boolean" || typeof v === "string") return v;
  if (typeof v === "bigint") return { $: "bigint", v: String(v) };
  if (typeof v === "number") return Number.isFinite(v) && !Object.is(v, -0) ? v : { $: "number", v: Object.is(v, -0) ? "-0" : String(v) };
  if (v instanceof Date) return { $: "Date", v: v.toISOString() };
  if (v instanceof Set) return { $: "Set", v: [...v].map(describe) };
  if (v instanceof Map) return { $: "Map", v: [...v].map((pair) => pair.map(describe)) };
  if (ArrayBuffer.isView(v)) return { $: v.constructor.name, v: [...v] };
  if (Array.isArray(v)) return v.map(describe);
  if (Object.getPrototypeOf(v) !== Object.prototype) return { $: v.constructor.name, v: String(v) };
  return Object.fromEntries(Object.entries(v).map(([k, m]) => [k, describe(m)]));
}

if (process.argv[3] === "write") {
  const texts = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, stringify(value)]));
  process.stdout.write(JSON.stringify(texts, null, 1) + "\n");
} else {
  const texts = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  process.stdout.write(JSON.stringify(texts.map((text) => describe(superjson.deserialize(JSON.parse(text))))));
}
