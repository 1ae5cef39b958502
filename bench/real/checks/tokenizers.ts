import { z } from "zod";
import { scriptOf } from "../peer-list.js";
import { PATIENCE_SECONDS } from "../processes.js";
import { type CheckSetting, type Finding, firstDifference, MOST_EXCEPTIONS, parts } from "./check.js";
import { oddTexts } from "./odd-texts.js";

const TEXTS = 5000;
const AT_ONCE = 500;
const ENCODED = z.object({ ids: z.array(z.array(z.int())) });

/** The tokenizer of the file is Hugging Face's of the same model, and llama.cpp's where those two agree. */
export async function sameTokenizers(setting: CheckSetting): Promise<Finding[]> {
  const { tokens, seed, file, onProgress } = setting;
  const texts = oddTexts(TEXTS, `${seed}/tokenizers`);
  const encoded = async (name: string, python: string, options: object) => {
    const script = scriptOf("tokenizer_peer.py");
    const command = { name, command: python, arguments: [script, JSON.stringify(options)] };
    const { process } = await setting.processes.get(name, command);
    const ids: number[][] = [];
    for (const part of parts(texts, AT_ONCE)) {
      ids.push(...(await process.request("encode", { texts: part }, ENCODED, PATIENCE_SECONDS)).ids);
      onProgress(`tokenizers: ${name}: ${ids.length} of ${texts.length} texts`);
    }
    return ids;
  };
  const folder = await setting.hfFolder();
  const theirs = await encoded("Hugging Face's tokenizer", setting.pythonOf("transformers"), { kind: "hf", folder });
  const llamas = setting.has("llama-python")
    ? await encoded("llama.cpp's tokenizer", setting.pythonOf("llama-python"), { kind: "llama", file })
    : undefined;
  const own = texts.map((text) => tokens.encode(text));
  const findings = [tokenizerFinding("the tokenizer is Hugging Face's", texts, own, theirs)];
  if (llamas) findings.push(...betweenTwo(texts, own, theirs, llamas));
  return findings;
}

type Ids = readonly (readonly number[])[];

/** What a tokenizer does where Hugging Face's and llama.cpp's agree, and where they do not. */
export function betweenTwo(texts: readonly string[], own: Ids, theirs: Ids, llamas: Ids): Finding[] {
  const agree = texts.map((_, i) => firstDifference(theirs[i]!, llamas[i]!) < 0);
  const chosen = <T>(values: readonly T[]) => values.filter((_, i) => agree[i]);
  const statement = "where Hugging Face's and llama.cpp's tokenizers agree, it is theirs";
  const others = texts.flatMap((text, i) => {
    const isOf = (ids: Ids) => firstDifference(own[i]!, ids[i]!) < 0;
    return agree[i] ? [] : [{ text, asTheirs: isOf(theirs), asLlamas: isOf(llamas) }];
  });
  const neither = others.filter(({ asTheirs, asLlamas }) => !asTheirs && !asLlamas);
  return [
    tokenizerFinding(statement, chosen(texts), chosen(own), chosen(llamas)),
    {
      statement: "where they do not agree, it is one of the two",
      holds: neither.length === 0,
      numbers: {
        texts: others.length,
        "as Hugging Face's": others.filter(({ asTheirs }) => asTheirs).length,
        "as llama.cpp's": others.filter(({ asLlamas }) => asLlamas).length,
      },
      exceptions: neither.slice(0, MOST_EXCEPTIONS).map(({ text }) => JSON.stringify(text)),
    },
  ];
}

/** On how many texts two tokenizers give the same ids, and the first texts where they do not. */
export function tokenizerFinding(statement: string, texts: readonly string[], own: Ids, theirs: Ids): Finding {
  const differing = texts.flatMap((text, i) => {
    const at = firstDifference(own[i]!, theirs[i]!);
    if (at < 0) return [];
    const from = (ids: readonly number[]) => ids.slice(at, at + 4).join(" ");
    return [`${JSON.stringify(text)}: token ${at}: ${from(own[i]!)} instead of ${from(theirs[i]!)}`];
  });
  return {
    statement,
    holds: differing.length === 0,
    numbers: { texts: texts.length, same: texts.length - differing.length },
    exceptions: differing.slice(0, MOST_EXCEPTIONS),
  };
}
