import { performance } from "node:perf_hooks";
import type { MatrixProduct } from "../shared/products.js";
import { servePeer } from "../shared/serve.js";
import { type Problem, readProblem } from "./problem.js";

/** One system that trains a problem, from its initial weights on, one step a call. */
export interface Trainer {
  /** Packages that do the work. */
  versions: Readonly<Record<string, string>>;
  /** Threads it computes with, where that is known. */
  threads: number | null;
  /** Compile the step; milliseconds. Missing where there is nothing to compile, or where the first step does it. */
  compile?(): Promise<number>;
  /** Forward, backward, update. Done when the new weights are there. The loss is that before the update. */
  step(): Promise<number>;
  /** Compute a product many times; returns the median seconds of one product. */
  product?(product: MatrixProduct, milliseconds: number): Promise<number>;
}

/** Command-line argument of a peer process, as JSON. */
export interface PeerArguments {
  /** Folder of the problem. */
  problem: string;
  threads: number;
  /** Where the packages are that are not this repository's. */
  folder?: string;
  /** What one module with several backends should use. */
  backend?: string;
}

/** Answer the requests of the benchmark with a trainer: the main of every peer in TypeScript. */
export async function serveTrainer(
  create: (problem: Problem, options: PeerArguments) => Promise<Trainer>,
): Promise<void> {
  const options = JSON.parse(process.argv[2] ?? "{}") as PeerArguments;
  let trainer: Trainer | null = null;
  const started = (): Trainer => {
    if (trainer) return trainer;
    throw new Error('asked to work before "prepare"');
  };
  await servePeer({
    async prepare() {
      trainer = await create(await readProblem(options.problem), options);
      const compileMs = (await trainer.compile?.()) ?? null;
      const start = performance.now();
      const loss = await trainer.step();
      const { versions, threads } = trainer;
      return { versions, threads, compileMs, firstStepMs: performance.now() - start, loss };
    },
    async steps({ count }) {
      const stepMs: number[] = [];
      const losses: number[] = [];
      const before = process.cpuUsage();
      for (let i = 0; i < Number(count); i++) {
        const start = performance.now();
        losses.push(await started().step());
        stepMs.push(performance.now() - start);
      }
      const { user, system } = process.cpuUsage(before);
      const residentMegabytes = process.memoryUsage().rss / 2 ** 20;
      return { stepMs, losses, processorSeconds: (user + system) / 1e6, residentMegabytes };
    },
    async product({ product, milliseconds }) {
      const measure = started().product;
      if (!measure) throw new Error("does not measure products");
      return { seconds: await measure(product as MatrixProduct, Number(milliseconds)) };
    },
  });
}
