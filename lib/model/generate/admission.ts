import { BLOCK_TOKENS, blockKeys } from "./prefix-store.js";
import type { ResolvedRequest } from "./request.js";
import type { Submission } from "./submission.js";

/** A request with samples that have not started yet. */
export interface Waiting {
  request: ResolvedRequest;
  submission: Submission;
  /** Number of samples in progress or finished. */
  started: number;
  /** Names of the blocks of its prompt that may be known before; see {@link beginningOf}. */
  blocks: readonly string[];
  /** Requests that it has waited for. */
  waitedFor: Set<ResolvedRequest>;
}

/** Samples of a request that are started together. */
export interface Admission {
  waiting: Waiting;
  request: ResolvedRequest;
  submission: Submission;
  first: number;
  count: number;
}

export function waitingFor(request: ResolvedRequest, submission: Submission): Waiting {
  return { request, submission, started: 0, blocks: beginningOf(request), waitedFor: new Set() };
}

/** Blocks of a prompt that may be taken from another text: its last token is always computed, for what follows it. */
function beginningOf(request: ResolvedRequest): string[] {
  return blockKeys(request).slice(0, Math.floor((request.length - 1) / BLOCK_TOKENS));
}
