import type { MathFunction, MathNode } from "./math-node.js";

/** A complex number. */
export interface Complex {
  re: number;
  im: number;
}

const complex = (re: number, im = 0): Complex => ({ re, im });
const NONE = complex(Number.NaN, Number.NaN);

/**
 * The principal complex value of an expression in floating point; undefined where it has none, or where a function is
 * not meant for complex numbers (floor, factorial and the like).
 * @param lookUp the values of variables
 */
export function evaluateComplex(node: MathNode, lookUp: (name: string) => number): Complex | undefined {
  const value = evaluate(node, lookUp);
  return Number.isFinite(value.re) && Number.isFinite(value.im) ? value : undefined;
}

/** NaN stands for no value; it goes through all arithmetic by itself. */
function evaluate(node: MathNode, lookUp: (name: string) => number): Complex {
  switch (node.kind) {
    case "number":
      return complex(node.value.valueOf());
    case "constant":
      if (node.name === "i") return complex(0, 1);
      return node.name === "infinity" ? NONE : complex(node.name === "pi" ? Math.PI : Math.E);
    case "variable":
      return complex(lookUp(node.name));
    case "negate":
      return times(complex(-1), evaluate(node.operand, lookUp));
    case "binary": {
      const [a, b] = [evaluate(node.left, lookUp), evaluate(node.right, lookUp)];
      if (node.operator === "+") return complex(a.re + b.re, a.im + b.im);
      if (node.operator === "-") return complex(a.re - b.re, a.im - b.im);
      if (node.operator === "*") return times(a, b);
      return node.operator === "/" ? times(a, reciprocal(b)) : power(a, b);
    }
    case "call":
      return call(node.name, evaluate(node.operands[0]!, lookUp), () => evaluate(node.operands[1]!, lookUp));
  }
}

function call(name: MathFunction, z: Complex, second: () => Complex): Complex {
  switch (name) {
    case "root":
      return power(z, reciprocal(second()));
    case "log":
      return times(logarithm(z), reciprocal(logarithm(second())));
    case "exp":
      return exponential(z);
    case "abs":
      return complex(Math.hypot(z.re, z.im));
    case "sin":
      return complex(Math.sin(z.re) * Math.cosh(z.im), Math.cos(z.re) * Math.sinh(z.im));
    case "cos":
      return complex(Math.cos(z.re) * Math.cosh(z.im), -Math.sin(z.re) * Math.sinh(z.im));
    default:
      return NONE;
  }
}

const times = (a: Complex, b: Complex): Complex => complex(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re);

function reciprocal(z: Complex): Complex {
  const square = z.re ** 2 + z.im ** 2;
  return complex(z.re / square, -z.im / square);
}

const logarithm = (z: Complex): Complex => complex(Math.log(Math.hypot(z.re, z.im)), Math.atan2(z.im, z.re));

function exponential(z: Complex): Complex {
  const size = Math.exp(z.re);
  return complex(size * Math.cos(z.im), size * Math.sin(z.im));
}

function power(base: Complex, exponent: Complex): Complex {
  if (base.re === 0 && base.im === 0) return exponent.im === 0 && exponent.re > 0 ? base : NONE;
  return exponential(times(exponent, logarithm(base)));
}
