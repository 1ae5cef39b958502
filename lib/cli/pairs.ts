import { badInput } from "../core/index.js";

/** NAME=VALUE of an option that may be given several times. @throws bad-input */
export function namedValue(text: string, earlier: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw badInput(`${JSON.stringify(text)} is no NAME=VALUE`, "Write qwen=models/qwen.gguf, for example.");
  return { ...earlier, [text.slice(0, at)]: text.slice(at + 1) };
}
