/** A file of an export, by its path in the folder. */
export interface ExportFile {
  name: string;
  text: string;
}

/** What a configuration may hold. */
export type ConfigValue =
  | string
  | number
  | boolean
  | null
  | readonly ConfigValue[]
  | { readonly [key: string]: ConfigValue };

/**
 * A configuration as YAML: a key a line, lists and texts as in JSON, which is YAML too. Numbers with an exponent get a
 * point, or parsers of YAML 1.1, such as PyYAML, would take them for texts.
 */
export function yamlText(config: Readonly<Record<string, ConfigValue>>, indent = ""): string {
  return Object.entries(config)
    .map(([key, value]) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? `${indent}${key}:\n${yamlText(value as Record<string, ConfigValue>, `${indent}  `)}`
        : `${indent}${key}: ${scalar(value)}\n`,
    )
    .join("");
}

function scalar(value: ConfigValue): string {
  if (typeof value === "number") return numberText(value);
  if (Array.isArray(value)) return `[${value.map(scalar).join(", ")}]`;
  return JSON.stringify(value);
}

function numberText(value: number): string {
  const small = value !== 0 && Math.abs(value) < 1e-3;
  const text = small ? value.toExponential() : String(value);
  return /^-?\d+e/.test(text) ? text.replace("e", ".0e") : text;
}

export const jsonText = (value: ConfigValue): string => `${JSON.stringify(value, null, 2)}\n`;

/** A shell script that runs in its own folder and stops at the first error. */
export const scriptText = (lines: readonly string[]): string =>
  `${["#!/usr/bin/env bash", "set -euo pipefail", 'cd "$(dirname "$0")"', ...lines].join("\n")}\n`;

/** A text as one word of a shell. */
export const shellWord = (text: string): string =>
  /^[\w./:=@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
