import { addConstant, type FloatAttribute, float, type Graph, type Node, uniformValue, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import type { Pass } from "./pass.js";

/** `value` = `base` · `factor`, not computed until something needs it. */
interface Scaled {
  base: Value;
  factor: number;
}

/** Linear operators that only move or add numbers up: a factor may come after them, where there are fewer numbers. */
const LINEAR = new Set(["Transpose", "Reshape", "ReduceSum", "ReduceMean"]);

/** Products of factors outside of this range could overflow where the separate products did not. */
const SAFE = { least: 1e-25, most: 1e25 };

/**
 * Merge products with a number: into each other, into matrix products (which take a factor for free), and past operators
 * that are linear. Sign changes turn sums into differences.
 */
export const mergeScalars: Pass = (graph) => absorbIntoProducts(pushForward(graph));

const pushForward: Pass = ({ graph, nodes, outputs }) => {
  const uses = countUses(nodes, outputs);
  const scaled = new Map<Value, Scaled>();
  const computed = new Map<Value, Value>();
  const kept: Node[] = [];
  const look = (value: Value): Scaled => scaled.get(value) ?? { base: value, factor: 1 };
  const need = (value: Value): Value => {
    const { base, factor } = look(value);
    if (factor === 1) return base;
    const known = computed.get(value);
    if (known) return known;
    const result: Value = { id: graph.nextId++, shape: value.shape, dtype: value.dtype };
    kept.push(factor === -1 ? makeNode("Neg", [base], result) : makeNode("Mul", [base, scalar(graph, factor)], result));
    computed.set(value, result);
    return result;
  };
  /** Let the node compute on unscaled inputs and scale its result, later if at all. */
  const defer = (node: Node, inputs: (Value | null)[], factor: number) => {
    const [output] = node.outputs as [Value];
    if (factor === 1) {
      kept.push({ ...node, inputs });
      return;
    }
    const base: Value = { id: graph.nextId++, shape: output.shape, dtype: output.dtype };
    kept.push({ ...node, inputs, outputs: [base] });
    scaled.set(output, { base, factor });
  };

  for (const node of nodes) {
    const [output] = node.outputs as [Value];
    const [a, b] = node.inputs;
    const factor = output?.dtype === "float32" ? numberFactor(node) : null;
    if (factor) {
      const inner = look(factor.of);
      const product = inner.factor * factor.number;
      if (isSafe(product)) {
        scaled.set(output, { base: inner.base, factor: product });
        continue;
      }
    }
    const scales = node.inputs.map((value) => (value ? look(value).factor : 1));
    if (scales.every((scale) => scale === 1)) {
      kept.push({ ...node, inputs: node.inputs.map((value) => value && look(value).base) });
      continue;
    }
    const bases = node.inputs.map((value) => value && look(value).base);
    const product = node.op === "Div" ? scales[0]! / scales[1]! : scales[0]! * (scales[1] ?? 1);
    if (node.op === "FusedMatMul" && isSafe(alphaOf(node) * product)) {
      kept.push({ ...node, inputs: bases, attributes: { ...node.attributes, alpha: float(alphaOf(node) * product) } });
    } else if (LINEAR.has(node.op) && uses.get(a!) === 1) {
      defer(node, bases, scales[0]!);
    } else if ((node.op === "Mul" || node.op === "Div") && isSafe(product) && mayWait(node, scales, uses)) {
      defer(node, bases, product);
    } else if ((node.op === "Add" || node.op === "Sub") && scales[0] === scales[1]) {
      defer(node, bases, scales[0]!);
    } else if ((node.op === "Add" || node.op === "Sub") && scales[1] === -1) {
      kept.push({ ...node, op: node.op === "Add" ? "Sub" : "Add", inputs: [need(a!), bases[1]!] });
    } else if (node.op === "Add" && scales[0] === -1) {
      kept.push({ ...node, op: "Sub", inputs: [need(b!), bases[0]!] });
    } else {
      kept.push({ ...node, inputs: node.inputs.map((value) => value && need(value)) });
    }
  }
  return { graph, nodes: kept, outputs: outputs.map(need) };
};

/** A number times the result of a matrix product that nothing else uses is the product's own factor. */
const absorbIntoProducts: Pass = ({ graph, nodes, outputs }) => {
  const uses = countUses(nodes, outputs);
  const products = new Map<Value, number>();
  const kept: Node[] = [];
  for (const node of nodes) {
    const factor = node.outputs[0]?.dtype === "float32" ? numberFactor(node) : null;
    const place = factor && uses.get(factor.of) === 1 ? products.get(factor.of) : undefined;
    const product = place === undefined ? undefined : kept[place]!;
    const alpha = product && factor ? alphaOf(product) * factor.number : 0;
    if (product && isSafe(alpha)) {
      kept[place!] = { ...product, attributes: { ...product.attributes, alpha: float(alpha) }, outputs: node.outputs };
      products.set(node.outputs[0]!, place!);
      continue;
    }
    if (node.op === "FusedMatMul") products.set(node.outputs[0]!, kept.length);
    kept.push(node);
  }
  return { graph, nodes: kept, outputs };
};

/** The other operand and the number if a node multiplies by, or divides by, one number without growing its operand. */
function numberFactor({ op, inputs: [a, b], outputs }: Node): { of: Value; number: number } | null {
  const keeps = (value: Value) =>
    sizeOf(value.shape) === sizeOf(outputs[0]!.shape) && value.shape.length === outputs[0]!.shape.length;
  if (op === "Neg") return { of: a!, number: -1 };
  if (op !== "Mul" && op !== "Div") return null;
  const right = uniformValue(b!);
  if (right !== undefined && keeps(a!)) return { of: a!, number: op === "Mul" ? right : 1 / right };
  const left = op === "Mul" ? uniformValue(a!) : undefined;
  return left !== undefined && keeps(b!) ? { of: b!, number: left } : null;
}

/** Scaling the result must not cost more than scaling the operands: same size, and no operand that others scale too. */
function mayWait(node: Node, scales: readonly number[], uses: Map<Value, number>): boolean {
  const size = sizeOf(node.outputs[0]!.shape);
  return node.inputs.every((value, i) => scales[i] === 1 || (uses.get(value!) === 1 && sizeOf(value!.shape) === size));
}

function countUses(nodes: readonly Node[], outputs: readonly Value[]): Map<Value, number> {
  const uses = new Map<Value, number>();
  const count = (value: Value | null) => value && uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const node of nodes) node.inputs.forEach(count);
  outputs.forEach(count);
  return uses;
}

function alphaOf(node: Node): number {
  return (node.attributes.alpha as FloatAttribute | undefined)?.float ?? 1;
}

function isSafe(factor: number): boolean {
  const size = Math.abs(factor);
  return size >= SAFE.least && size <= SAFE.most;
}

function scalar(graph: Graph, number: number): Value {
  return addConstant(graph, Float32Array.of(number), [], "float32");
}

function makeNode(op: string, inputs: Value[], output: Value): Node {
  return { op, domain: "", inputs, attributes: {}, outputs: [output] };
}
