import { performance } from "node:perf_hooks";
import type { MatrixProduct } from "../shared/products.js";
import { servePeer } from "../shared/serve.js";

/** One system that generates greedily. */
export interface Generator {
  versions: Readonly<Record<string, string>>;
  threads: number | null;
  /** Continue each prompt by exactly this many tokens; returns the new ids. */
  generate(prompts: readonly (readonly number[])[], newTokens: number): Promise<number[][]>;
  /** Compute a product many times; returns the median seconds of one product. */
  product?(product: MatrixProduct, milliseconds: number): Promise<number>;
}

/** Command-line argument of a peer process, as JSON. */
export interface PeerArguments {
  /** Of the model. */
  folder: string;
  threads: number;
}

/** Answer the requests of the benchmark with a generator: the main of every peer in TypeScript. */
export async function serveGenerator(create: (options: PeerArguments) => Promise<Generator>): Promise<void> {
  const options = JSON.parse(process.argv[2] ?? "{}") as PeerArguments;
  let generator: Generator | null = null;
  const started = async (): Promise<Generator> => {
    generator ??= await create(options);
    return generator;
  };
  await servePeer({
    async prepare() {
      const { versions, threads } = await started();
      return { versions, threads };
    },
    async generate({ prompts, newTokens, repeats }) {
      const { generate } = await started();
      const seconds: number[] = [];
      let ids: number[][] = [];
      const before = process.cpuUsage();
      for (let i = 0; i < Number(repeats); i++) {
        const start = performance.now();
        ids = await generate(prompts as number[][], Number(newTokens));
        seconds.push((performance.now() - start) / 1000);
      }
      const { user, system } = process.cpuUsage(before);
      return { seconds, ids, processorSeconds: (user + system) / 1e6, megabytes: process.memoryUsage().rss / 2 ** 20 };
    },
    async product({ product, milliseconds }) {
      const { product: measure } = await started();
      if (!measure) throw new Error("does not measure products");
      return { seconds: await measure(product as MatrixProduct, Number(milliseconds)) };
    },
  });
}
