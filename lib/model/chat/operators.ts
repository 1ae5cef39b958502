/** The parts of a parsed template's nodes that are used here. */
export interface Node {
  type: string;
  [field: string]: unknown;
}

/** A value of the interpreter, by the name of its class. */
interface Value {
  type: string;
  value: unknown;
}

/**
 * The parts of the package's interpreter that are used here: it evaluates all nodes, nested ones included, by this
 * method.
 */
export interface Evaluator {
  evaluate(node: Node | undefined, scope: unknown): Value;
}

/** Maximum length of a list or text made by a product, as for `range`. */
const LONGEST = 100_000;

/** Python's names of the types, for messages. */
const TYPES: Readonly<Record<string, string>> = {
  StringValue: "a string",
  IntegerValue: "an integer",
  FloatValue: "a float",
  BooleanValue: "a boolean",
  NullValue: "None",
  UndefinedValue: "something undefined",
  ArrayValue: "a list",
  TupleValue: "a tuple",
  ObjectValue: "a dictionary",
  NamespaceValue: "a namespace",
  FunctionValue: "a function",
};
const NUMBERS: readonly string[] = ["IntegerValue", "FloatValue"];
const SEQUENCES: readonly string[] = ["StringValue", "ArrayValue", "TupleValue"];

/** Statements, which have no output of their own. The rest of a body is expressions, whose values are written. */
const SILENT = new Set(
  "StringLiteral Comment If For Set Macro CallStatement FilterStatement Break Continue".split(" "),
);
const OUTPUT = "Output";
/** A node that is a value already. */
const KNOWN = "Known";

/**
 * Make `+`, `*` and `~` behave as in Python's Jinja. The package joins anything to a string, so that a list of content
 * parts would silently become a text; Python refuses that. `~` writes both sides as Python does.
 */
export function usePythonOperators(interpreter: Evaluator): void {
  const evaluate = interpreter.evaluate.bind(interpreter);
  const text = (value: string, scope: unknown) => evaluate({ type: "StringLiteral", value }, scope);
  interpreter.evaluate = (node, scope) => {
    if (node?.type === KNOWN) return node.value as Value;
    if (node?.type === "FilterExpression") {
      const filtered = filteredText(node, (inside) => interpreter.evaluate(inside, scope));
      if (filtered !== undefined)
        return typeof filtered === "string" ? text(filtered, scope) : evaluate(filtered, scope);
    }
    if (node?.type === OUTPUT) return text(written(interpreter.evaluate(node.value as Node, scope)), scope);
    const operator = node?.type === "BinaryExpression" ? (node.operator as { value: string }).value : "";
    if (operator !== "+" && operator !== "*" && operator !== "~") return evaluate(node, scope);

    const [left, right] = [node!.left, node!.right].map((side) => interpreter.evaluate(side as Node, scope)) as [
      Value,
      Value,
    ];
    if (operator === "~") return text(written(left) + written(right), scope);
    const compute = (a: Value, b: Value) =>
      evaluate({ ...node!, left: { type: KNOWN, value: a }, right: { type: KNOWN, value: b } }, scope);
    const asNumber = (value: Value) =>
      value.type === "BooleanValue" ? evaluate({ type: "IntegerLiteral", value: Number(value.value) }, scope) : value;
    const [a, b] = [asNumber(left), asNumber(right)];
    if (NUMBERS.includes(a.type) && NUMBERS.includes(b.type)) return compute(a, b);
    const literal = (type: string, values: readonly Value[]) =>
      evaluate({ type, value: values.map((value) => ({ type: KNOWN, value })) }, scope);
    if (operator === "+" && SEQUENCES.includes(left.type) && left.type === right.type) {
      if (left.type !== "TupleValue") return compute(left, right);
      return literal("TupleLiteral", [...(left.value as Value[]), ...(right.value as Value[])]);
    }
    const [sequence, times] = SEQUENCES.includes(a.type) ? [a, b] : [b, a];
    if (operator === "*" && SEQUENCES.includes(sequence.type) && times.type === "IntegerValue") {
      const repeated = repeat(sequence.value as string | readonly Value[], times.value as number);
      if (typeof repeated === "string") return text(repeated, scope);
      return literal(sequence.type === "TupleValue" ? "TupleLiteral" : "ArrayLiteral", repeated);
    }
    const hint = operator === "+" && [left, right].some(({ type }) => type === "StringValue");
    throw new Error(
      `${nameOf(left)} ${operator} ${nameOf(right)} is an error, as in Python${hint ? "; ~ joins anything as text" : ""}`,
    );
  };
}

/** Mark the expressions whose values a template writes, so that {@link usePythonOperators} writes them as Python does. */
export function markOutputs(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  // Object literals are Maps.
  const children = value instanceof Map ? [...value].flat() : Object.values(value);
  for (const child of children) markOutputs(child);
  for (const field of ["body", "alternate", "defaultBlock"]) {
    const nodes: unknown = (value as Record<string, unknown>)[field];
    if (!Array.isArray(nodes)) continue;
    nodes.forEach((node: Node, at) => {
      if (!SILENT.has(node.type)) nodes[at] = { type: OUTPUT, value: node };
    });
  }
}

/** The filters `string` and `join`, which write non-strings as Python does; undefined for other filters. */
function filteredText(node: Node, evaluate: (node: Node) => Value): string | Node | undefined {
  const { operand, filter } = node as unknown as { operand: Node; filter: Node };
  const isCall = filter.type === "CallExpression";
  const name = (isCall ? (filter.callee as Node) : filter).value;
  const args = isCall ? (filter.args as Node[]) : [];
  if (name === "string") return written(evaluate(operand));
  // Items with an attribute are the package's matter.
  if (name !== "join" || args.length > 1 || args.some(({ type }) => type === "KeywordArgumentExpression")) return;
  const joined = evaluate(operand);
  if (joined.type !== "ArrayValue" && joined.type !== "TupleValue") {
    return { ...node, operand: { type: KNOWN, value: joined } };
  }
  const items = (joined.value as Value[]).map((item) => ({ type: "StringLiteral", value: written(item) }));
  return { ...node, operand: { type: "ArrayLiteral", value: items } };
}

const nameOf = ({ type }: Value): string => TYPES[type] ?? type;

function repeat(sequence: string | readonly Value[], times: number): string | readonly Value[] {
  const count = Math.max(0, times);
  if (sequence.length * count > LONGEST) throw new Error(`a product has more than ${LONGEST} items`);
  if (typeof sequence === "string") return sequence.repeat(count);
  return Array.from({ length: count }, () => sequence).flat();
}

/** `str()` of Python; nothing for what is undefined, as in Jinja. */
function written(value: Value): string {
  if (value.type === "StringValue") return value.value as string;
  return value.type === "UndefinedValue" ? "" : represented(value);
}

/** `repr()` of Python. */
function represented(value: Value): string {
  switch (value.type) {
    case "StringValue":
      return quoted(value.value as string);
    case "BooleanValue":
      return value.value ? "True" : "False";
    case "NullValue":
      return "None";
    case "UndefinedValue":
      return "Undefined";
    case "ArrayValue":
      return `[${(value.value as Value[]).map(represented).join(", ")}]`;
    case "TupleValue": {
      const items = (value.value as Value[]).map(represented);
      return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
    }
    case "ObjectValue": {
      const entries = [...(value.value as Map<string, Value>)];
      return `{${entries.map(([key, each]) => `${quoted(key)}: ${represented(each)}`).join(", ")}}`;
    }
    default:
      // Numbers are written by the package.
      return String(value);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

/** In single quotes, but in double ones where the text holds single ones only. */
function quoted(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inside = text.replace(/[\p{Cc}\\]/gu, (each) => {
    return ESCAPES[each] ?? `\\x${each.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return mark + (mark === "'" ? inside.replaceAll("'", "\\'") : inside) + mark;
}
