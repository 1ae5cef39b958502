/**
 * JavaScript that runs in each new context before the program: `console`, `readline`, timers, and the way values leave.
 * An expression: a function of the host's functions that gives `{ encode, call, describe, runTimer }`. A program that
 * replaces the language's own functions harms only itself: it is gone with its heap.
 */
export const JAVASCRIPT_PRELUDE = String.raw`(function (hostWrite, hostReadLine, hostWait, hostNow) {
"use strict";
const { defineProperty, entries, getPrototypeOf, keys, is } = Object;
const { isArray } = Array;
const { stringify, parse } = JSON;
const { apply } = Reflect;
const [MapClass, SetClass, DateClass, ErrorClass, RegExpClass, Text] = [Map, Set, Date, Error, RegExp, String];
const [ObjectPrototype, timeOf] = [Object.prototype, Date.prototype.getTime];

const DEPTH = 200;
const encode = (value, depth = 0) => {
  if (depth > DEPTH) throw new RangeError("the value is nested too deeply to be returned as data");
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") {
    return value - value === 0 && !is(value, -0) ? value : { f: is(value, -0) ? "-0" : Text(value) };
  }
  if (value === undefined) return { u: 0 };
  if (typeof value === "bigint") return { i: Text(value) };
  if (typeof value === "function" || typeof value === "symbol") return { x: typeof value };
  const inner = (each) => encode(each, depth + 1);
  if (isArray(value)) {
    const items = [];
    for (let at = 0; at < value.length; at++) items[at] = inner(value[at]);
    return items;
  }
  if (value instanceof MapClass) return { d: [...value].map(([key, each]) => [inner(key), inner(each)]) };
  if (value instanceof SetClass) return { s: [...value].map(inner) };
  if (value instanceof DateClass) return { t: apply(timeOf, value, []) };
  if (value instanceof ErrorClass || value instanceof RegExpClass) return { x: Text(value) };
  return { o: entries(value).map(([key, each]) => [key, inner(each)]) };
};

const decode = (data) => {
  if (data === null || typeof data !== "object") return data;
  if (isArray(data)) return data.map(decode);
  if ("f" in data) return Number(data.f);
  if ("u" in data) return undefined;
  if ("i" in data) return BigInt(data.i);
  if ("d" in data) return new MapClass(data.d.map(([key, each]) => [decode(key), decode(each)]));
  if ("s" in data) return new SetClass(data.s.map(decode));
  if ("t" in data) return new DateClass(data.t);
  const object = {};
  for (const [key, each] of data.o) defineProperty(object, key, { value: decode(each), writable: true, enumerable: true, configurable: true });
  return object;
};

const NAME = /^[A-Za-z_$][\w$]*$/;
const quote = (text) => {
  const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : "'";
  const body = stringify(text).slice(1, -1).replace(/\\"/g, '"');
  return mark + (mark === "'" ? body.replace(/'/g, "\\'") : body) + mark;
};
const WIDTH = 72;
const ITEMS = 100;
const lines = (open, parts, close, prefix) => {
  if (parts.length === 0) return prefix + open + close;
  const line = parts.join(", ");
  if (line.length + prefix.length <= WIDTH && !line.includes("\n")) return prefix + open + " " + line + " " + close;
  return prefix + open + "\n" + parts.map((part) => "  " + part.replace(/\n/g, "\n  ")).join(",\n") + "\n" + close;
};
const show = (value, depth, above) => {
  if (typeof value === "string") return quote(value);
  if (typeof value === "bigint") return value + "n";
  if (is(value, -0)) return "-0";
  if (typeof value === "symbol") return value.toString();
  if (typeof value === "function") {
    const isClass = /^class\b/.test(Function.prototype.toString.call(value));
    return "[" + (isClass ? "class" : "Function") + (value.name ? (isClass ? " " : ": ") + value.name : isClass ? " (anonymous)" : " (anonymous)") + "]";
  }
  if (value === null || typeof value !== "object") return Text(value);
  if (above.includes(value)) return "[Circular *1]";
  if (value instanceof ErrorClass) return errorText(value);
  if (value instanceof RegExpClass) return Text(value);
  if (value instanceof DateClass) return isNaN(value) ? "Invalid Date" : value.toISOString();
  const prototype = getPrototypeOf(value);
  const name = prototype === null ? "[Object: null prototype]" : (prototype.constructor && prototype.constructor.name) || "Object";
  if (depth > 2) return isArray(value) ? "[Array]" : "[" + name + "]";
  const inner = (each) => show(each, depth + 1, [...above, value]);
  const property = (key) => (NAME.test(key) ? key : quote(key)) + ": " + inner(value[key]);
  const cut = (parts, total) => (total > ITEMS ? [...parts, "... " + (total - ITEMS) + " more item" + (total > ITEMS + 1 ? "s" : "")] : parts);
  if (isArray(value) || ArrayBuffer.isView(value)) {
    const items = [];
    let holes = 0;
    for (let at = 0; at < value.length && items.length < ITEMS; at++) {
      if (at in value) items.push(inner(value[at]));
      else if (++holes && (at + 1 in value || at + 1 === value.length)) {
        items.push("<" + holes + " empty item" + (holes > 1 ? "s" : "") + ">");
        holes = 0;
      }
    }
    const extra = isArray(value) ? keys(value).filter((key) => !/^\d+$/.test(key)).map(property) : [];
    return lines("[", [...cut(items, value.length), ...extra], "]", isArray(value) && name === "Array" ? "" : name + "(" + value.length + ") ");
  }
  if (value instanceof MapClass) return lines("{", cut([...value].slice(0, ITEMS).map(([key, each]) => inner(key) + " => " + inner(each)), value.size), "}", "Map(" + value.size + ") ");
  if (value instanceof SetClass) return lines("{", cut([...value].slice(0, ITEMS).map(inner), value.size), "}", "Set(" + value.size + ") ");
  if (value instanceof Promise) return "Promise { <pending> }";
  if (value instanceof Number || value instanceof Text || value instanceof Boolean) return "[" + name + ": " + inner(value.valueOf()) + "]";
  return lines("{", keys(value).map(property), "}", name === "Object" ? "" : name + " ");
};
const errorText = (error) => {
  const head = Text(error);
  const stack = typeof error.stack === "string" ? error.stack.trimEnd() : "";
  return stack.includes(head) ? stack : stack ? head + "\n" + stack : head;
};
const plain = (value) => (typeof value === "string" ? value : show(value, 0, []));
const format = (values) => {
  if (typeof values[0] !== "string" || !values[0].includes("%")) return values.map(plain).join(" ");
  let next = 1;
  const text = values[0].replace(/%[sdifjoOc%]/g, (mark) => {
    if (mark === "%%") return "%";
    if (next >= values.length) return mark;
    const value = values[next++];
    if (mark === "%s") return typeof value === "object" && value !== null ? show(value, 2, []) : typeof value === "bigint" ? value + "n" : Text(value);
    if (mark === "%d") return typeof value === "bigint" ? value + "n" : Text(Number(value));
    if (mark === "%i") return Text(parseInt(value));
    if (mark === "%f") return Text(parseFloat(value));
    if (mark === "%j") return stringify(value);
    return mark === "%c" ? "" : show(value, 0, []);
  });
  return [text, ...values.slice(next).map(plain)].join(" ");
};

let indent = "";
const put = (stream, text) => hostWrite(stream, (indent ? indent + text.replace(/\n/g, "\n" + indent) : text) + "\n");
const out = (...values) => put("stdout", format(values));
const err = (...values) => put("stderr", format(values));
const counts = new MapClass();
const times = new MapClass();
const define = (name, value) => defineProperty(globalThis, name, { value, writable: true, configurable: true });
define("console", {
  log: out, info: out, debug: out, error: err, warn: err,
  trace: (...values) => err("Trace: " + format(values)),
  dir: (value) => out(value),
  table: (value) => out(value),
  assert: (condition, ...values) => condition || err("Assertion failed" + (values.length > 0 ? ": " + format(values) : "")),
  group: (...values) => { if (values.length > 0) out(...values); indent += "  "; },
  groupEnd: () => { indent = indent.slice(2); },
  count: (label = "default") => { counts.set(label, (counts.get(label) ?? 0) + 1); out(label + ": " + counts.get(label)); },
  time: (label = "default") => { times.set(label, hostNow()); },
  timeEnd: (label = "default") => out(label + ": " + (hostNow() - (times.get(label) ?? hostNow())).toFixed(3) + "ms"),
});
// Where programs for Node put what they export: it leads nowhere.
define("module", { exports: {} });
define("exports", globalThis.module.exports);
define("readline", () => hostReadLine());
define("prompt", (text) => { if (text !== undefined) hostWrite("stdout", Text(text)); return hostReadLine(); });
define("performance", { now: () => hostNow() });
define("queueMicrotask", (task) => { Promise.resolve().then(task); });
define("structuredClone", (value) => decode(encode(value)));

let timers = [];
let nextTimer = 1;
const setTimer = (task, delay, values, repeats) => {
  const every = Math.max(1, Number(delay) || 0);
  timers.push({ id: nextTimer, task, values, due: hostNow() + every, every: repeats ? every : undefined });
  return nextTimer++;
};
const clearTimer = (id) => { timers = timers.filter((timer) => timer.id !== id); };
define("setTimeout", (task, delay, ...values) => setTimer(task, delay, values, false));
define("setInterval", (task, delay, ...values) => setTimer(task, delay, values, true));
define("setImmediate", (task, ...values) => setTimer(task, 0, values, false));
define("clearTimeout", clearTimer);
define("clearInterval", clearTimer);
define("clearImmediate", clearTimer);
// The next timer, when it is due; false where there is none.
const runTimer = () => {
  if (timers.length === 0) return false;
  const timer = timers.reduce((first, each) => (each.due < first.due ? each : first));
  hostWait(timer.due - hostNow());
  if (timer.every === undefined) clearTimer(timer.id);
  else timer.due += timer.every;
  timer.task(...timer.values);
  return true;
};

return {
  runTimer,
  encode: (value) => stringify(encode(value)),
  call: (target, data) => {
    const values = parse(data).map(decode);
    return target(...values);
  },
  describe: (error) => {
    if (!(error instanceof ErrorClass)) return stringify({ message: "thrown: " + plain(error), stack: "Uncaught " + plain(error) });
    const line = /:(\d+)(?::\d+)?\)?\s*$/m.exec(Text(error.stack ?? ""));
    return stringify({ name: Text(error.name), message: Text(error), line: line ? Number(line[1]) : undefined, stack: errorText(error) });
  },
};
})`;
