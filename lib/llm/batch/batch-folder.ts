import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  badInput,
  fileSystemError,
  openJsonlWriter,
  readIfThere,
  readJsonl,
  strictJson,
  writeWhole,
} from "../../core/index.js";
import { type BatchRequest, outputFailure, outputSchema, requestSchema } from "./batch-lines.js";

const files = (folder: string) => ({
  requests: join(folder, "requests.jsonl"),
  answers: join(folder, "answers.jsonl"),
});

/** Requests of a folder that were asked for, and their answers as far as they came back. */
export interface BatchFolder {
  readonly folder: string;
  /** The body of the answer to a request; undefined if it is not there. */
  answerOf(request: BatchRequest): unknown;
  /** Store requests that are not stored yet. */
  ask(requests: readonly BatchRequest[]): Promise<void>;
}

/**
 * Open a folder of requests and answers; it is made with the first request.
 *
 * @throws corrupt-data, file-system
 */
export async function openBatchFolder(folder: string): Promise<BatchFolder> {
  const { requests: file, answers: answerFile } = files(folder);
  const asked = new Set<string>();
  const answers = new Map<string, unknown>();
  if ((await readIfThere(file)) !== undefined) {
    for await (const { value } of readJsonl(file, { schema: requestSchema })) asked.add(value.custom_id);
  }
  if ((await readIfThere(answerFile)) !== undefined) {
    for await (const { value } of readJsonl(answerFile, { schema: outputSchema })) {
      if (outputFailure(value) === undefined) answers.set(value.custom_id, value.response!.body);
    }
  }
  return {
    folder,
    answerOf: ({ custom_id }) => answers.get(custom_id),
    async ask(requests) {
      const fresh = requests.filter(({ custom_id }) => !asked.has(custom_id));
      if (fresh.length === 0) return;
      await mkdir(folder, { recursive: true }).catch((error: unknown) => {
        throw fileSystemError(error, "create", folder);
      });
      const writer = await openJsonlWriter(file);
      try {
        for (const request of fresh) {
          if (asked.has(request.custom_id)) continue;
          asked.add(request.custom_id);
          await writer.append(request);
        }
      } finally {
        await writer.close();
      }
    },
  };
}

/** Requests of a folder without an answer, in the order in which they were asked. */
async function waitingRequests(folder: string): Promise<BatchRequest[]> {
  const opened = await openBatchFolder(folder);
  const waiting: BatchRequest[] = [];
  const { requests } = files(folder);
  if ((await readIfThere(requests)) === undefined) {
    throw badInput(
      `${folder} holds no requests`,
      "Run a command with --model batch:FOLDER#NAME first: it stores what it asks for.",
    );
  }
  for await (const { value } of readJsonl(requests, { schema: requestSchema })) {
    if (opened.answerOf(value as BatchRequest) === undefined) waiting.push(value as BatchRequest);
  }
  return waiting;
}

/** Requests of one file of OpenAI's Batch API, at most. */
const MOST_REQUESTS = 50_000;

/**
 * Write the requests that wait for answers as input files of OpenAI's Batch API, which `vllm run-batch` takes too.
 *
 * @param parts number of files among which they are dealt, such as one for each node; more if there are over 50,000 in one
 * @returns the files with the number of their requests; none if nothing waits
 * @throws bad-input for a folder without requests; corrupt-data, file-system
 */
export async function exportBatch(
  folder: string,
  out: string,
  { parts = 1 }: { parts?: number | undefined } = {},
): Promise<{ file: string; requests: number }[]> {
  const waiting = await waitingRequests(folder);
  if (waiting.length === 0) return [];
  const count = Math.min(waiting.length, Math.max(parts, Math.ceil(waiting.length / MOST_REQUESTS)));
  const written: { file: string; requests: number }[] = [];
  for (let part = 0; part < count; part++) {
    const own = waiting.filter((_, at) => at % count === part);
    const file = count === 1 ? out : out.replace(/(\.jsonl)?$/, `-${part + 1}$1`);
    await writeWhole(file, own.map((request) => `${strictJson(request)}\n`).join(""));
    written.push({ file, requests: own.length });
  }
  return written;
}

export interface ImportedBatch {
  /** Answers that are new. */
  added: number;
  /** Answers that were there before, or twice in the files. */
  known: number;
  /** Lines about requests that were never asked for. */
  foreign: number;
  /** Lines with an error in place of an answer, the first few with their reason; these requests still wait. */
  failed: number;
  reasons: string[];
  /** Requests that wait for an answer now. */
  waiting: number;
}

const MOST_REASONS = 5;

/**
 * Take the output files of a batch into the folder of its requests. A later import can bring the answers that failed.
 *
 * @throws bad-input for a folder without requests; corrupt-data naming file and line, not-found, file-system
 */
export async function importBatch(folder: string, outputs: readonly string[]): Promise<ImportedBatch> {
  const { requests, answers } = files(folder);
  await waitingRequests(folder);
  const opened = await openBatchFolder(folder);
  const asked = new Set<string>();
  for await (const { value } of readJsonl(requests, { schema: requestSchema })) asked.add(value.custom_id);
  const counts: ImportedBatch = { added: 0, known: 0, foreign: 0, failed: 0, reasons: [], waiting: 0 };
  // All files are read before anything is written.
  const found = new Map<string, unknown>();
  for (const output of outputs) {
    for await (const { value } of readJsonl(output, { schema: outputSchema })) {
      const id = value.custom_id;
      const failure = outputFailure(value);
      if (!asked.has(id)) counts.foreign++;
      else if (failure !== undefined) {
        counts.failed++;
        if (counts.reasons.length < MOST_REASONS && !counts.reasons.includes(failure)) counts.reasons.push(failure);
      } else if (found.has(id) || opened.answerOf({ custom_id: id } as BatchRequest) !== undefined) counts.known++;
      else found.set(id, { custom_id: id, response: { status_code: 200, body: value.response!.body } });
    }
  }
  if (found.size > 0) {
    const writer = await openJsonlWriter(answers);
    try {
      for (const answer of found.values()) await writer.append(answer);
    } finally {
      await writer.close();
    }
  }
  counts.added = found.size;
  counts.waiting = (await waitingRequests(folder)).length;
  return counts;
}
