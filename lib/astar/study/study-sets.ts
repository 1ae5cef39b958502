import { join } from "node:path";
import { keptResult, type ProgressDisplay, sha256File, strictJson, writeWhole } from "../../core/index.js";
import { type ProceduralProblem, problemRecord, wordProblems } from "../../data/index.js";
import { type LanguageModel, tokenizerOf } from "../../llm/index.js";
import type { RowFormat } from "../chains/row-formats.js";
import type { TrainingOptions } from "../chains/training-row.js";
import { writeAcceptedRows } from "../compress/accepted-rows.js";
import { type CompressMode, needsOf } from "../compress/compress.js";
import { type CompressionSummary, compressFile } from "../compress/compress-file.js";
import { chainsFile, drawnChains } from "./study-chains.js";
import type { AstarStudy, StudySet } from "./study-config.js";

/** Summary of the chains of a set. */
export interface SetResult extends CompressionSummary {
  name: string;
  method: string;
}

/** Where a study keeps its chains and sets; students and evaluations lie beside them, as in any study. */
export const setFiles = (folder: string) => ({
  chains: join(folder, "chains.jsonl"),
  chainsResult: join(folder, "chains.json"),
  importance: join(folder, "importance.jsonl"),
  compressed: (set: string) => join(folder, "sets", `${set}.jsonl`),
  training: (set: string) => join(folder, "sets", `${set}.training.jsonl`),
  set: (set: string) => join(folder, "sets", `${set}.json`),
});

export interface StudySetsOptions {
  base: LanguageModel;
  validator: LanguageModel;
  scorer: LanguageModel;
  folder: string;
  signal?: AbortSignal | undefined;
  display?: ProgressDisplay | undefined;
}

/** Word problems with their long chains, as JSON lines that `compress` reads. */
export function chainLines(problems: Iterable<ProceduralProblem>): string {
  const fields = ["id", "question", "answer", "plainChain", "paragraphs"] as const;
  return Array.from(problems, (problem) => `${strictJson(problemRecord(problem, fields))}\n`).join("");
}

/** Format of the rows in the file of a study's chains. */
const formatOf = ({ chains }: AstarStudy): RowFormat => ("file" in chains ? "conversations" : "word-problems");

/** Write the chains of a study, once. */
export async function writeChains({ chains }: AstarStudy, folder: string, signal?: AbortSignal): Promise<void> {
  const files = setFiles(folder);
  const source = "file" in chains ? { data: await sha256File(chainsFile(chains.file)) } : {};
  const { file: _, ...drawn } = { file: undefined, ...chains };
  await keptResult(files.chainsResult, { chains: drawn, ...source }, async () => {
    if ("file" in chains) {
      const { file, ...options } = chains;
      await writeWhole(files.chains, await drawnChains(chainsFile(file), { ...options, signal }));
    } else {
      const { count, operations, seed } = chains;
      await writeWhole(files.chains, chainLines(wordProblems({ operations, seed, split: "train" }, count)));
    }
    return { sha256: await sha256File(files.chains) };
  });
}

/** Compress the chains of a study for a set; what was done before is taken as it is. */
export async function compressSet(study: AstarStudy, set: StudySet, options: StudySetsOptions): Promise<SetResult> {
  const { base, validator, scorer, folder, signal, display } = options;
  const { name, method, mode, like, importance, search } = set;
  const files = setFiles(folder);
  if (mode === "accepted") return acceptedSet(study, set, options);
  const tokenizer = tokenizerOf(base, "a study");
  const needs = needsOf(mode);
  const learned = learnedOf(study);
  const settings = {
    ...{ chains: await chainsKey(study, files.chains), seed: study.seed, mode, importance, search, ...learned },
    ...(like === undefined ? {} : { like: await sha256File(files.compressed(like)) }),
    base: await base.hash(),
    ...(needs.validator ? { validator: await validator.hash() } : {}),
    ...(needs.scorer ? { scorer: await scorer.hash() } : {}),
  };
  const result = await keptResult(files.set(name), settings, () =>
    compressFile({
      mode,
      scorer,
      validator,
      importance,
      search,
      seed: study.seed,
      data: files.chains,
      read: { format: formatOf(study) },
      output: files.compressed(name),
      cache: files.importance,
      training: { file: files.training(name), student: base, ...learned },
      like: like && files.compressed(like),
      countTokens: (text) => tokenizer.encode(text, { addSpecialTokens: false }).length,
      counter: settings.base,
      signal,
      display,
    }),
  );
  return { name, method, ...result };
}

async function acceptedSet(study: AstarStudy, set: StudySet, { base, folder }: StudySetsOptions): Promise<SetResult> {
  const { name, method } = set;
  const files = setFiles(folder);
  const [rows, search] = [files.compressed(set.of!), files.compressed(set.by!)];
  const learned = learnedOf(study);
  const [rowsHash, searchHash] = [await sha256File(rows), await sha256File(search)];
  const settings = { rows: rowsHash, search: searchHash, base: await base.hash(), ...learned };
  const result = await keptResult(files.set(name), settings, () =>
    writeAcceptedRows({
      chains: files.chains,
      format: formatOf(study),
      rows,
      mode: modeOf(study, set),
      search,
      output: files.compressed(name),
      training: { file: files.training(name), student: base, ...learned },
    }),
  );
  return { name, method, ...result };
}

/** What identifies the chains: how they were generated, or the content of the file that was drawn. */
const chainsKey = async ({ chains }: AstarStudy, file: string) => ("file" in chains ? await sha256File(file) : chains);

/** What students learn of the solutions, if it was said. */
const learnedOf = ({ students }: AstarStudy): Pick<TrainingOptions, "solutions"> =>
  students?.solutions ? { solutions: students.solutions } : {};

/** How the rows of a set were made. */
function modeOf(study: AstarStudy, { mode, of }: StudySet): CompressMode {
  return mode === "accepted" ? modeOf(study, study.sets.find(({ name }) => name === of)!) : mode;
}
