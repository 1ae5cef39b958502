import type { Quantity } from "./problem.js";

/**
 * An equation that checks a step from its value back to an input, such as "36/3=12" for 12*3=36, with no number that
 * the step does not have; undefined where there is none.
 */
export function inverseEquation({ relation, value }: Quantity, quantities: readonly Quantity[]): string | undefined {
  const { kind, inputs, numbers } = relation!;
  const [a, b] = inputs.map((input) => quantities[input]!.value) as [number, number];
  const [n = 0, m = 1] = numbers;
  switch (kind) {
    case "more":
      return `${value}-${n}=${a}`;
    case "fewer":
      return `${value}+${n}=${a}`;
    case "times":
    case "rate":
      return `${value}/${n}=${a}`;
    case "fraction":
      return n === 1 ? `${value}*${m}=${a}` : `${value}*${m}/${n}=${a}`;
    case "percent":
      return `${value}*100/${n}=${a}`;
    case "percent-change":
      return undefined;
    case "share":
    case "pack":
      return `${value}*${n}=${a}`;
    case "total":
      return inputs.length === 2 ? `${value}-${b}=${a}` : undefined;
    case "difference":
      return `${value}+${b}=${a}`;
    case "product":
      return b === 0 ? undefined : `${value}/${b}=${a}`;
  }
}

/** The same value computed another way, such as "3*12=36" for 12*3=36; undefined where there is none. */
export function otherEquation({ relation, value }: Quantity, quantities: readonly Quantity[]): string | undefined {
  const { kind, inputs, numbers } = relation!;
  const values = inputs.map((input) => quantities[input]!.value);
  const [a] = values as [number, ...number[]];
  const [n = 0, m = 1] = numbers;
  switch (kind) {
    case "more":
      return `${n}+${a}=${value}`;
    case "times":
    case "rate":
      return n <= 3 ? `${Array(n).fill(a).join("+")}=${value}` : `${n}*${a}=${value}`;
    case "fraction":
      return n === 1 ? undefined : `${a}/${m}*${n}=${value}`;
    case "percent":
      return `${n}*${a}/100=${value}`;
    case "total":
      return `${[...values].reverse().join("+")}=${value}`;
    case "product":
      return `${values[1]}*${a}=${value}`;
    default:
      return undefined;
  }
}
