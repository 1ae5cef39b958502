/** Work that is done between the steps of a generator. */
export interface Errands {
  readonly waiting: number;
  add<T>(errand: () => Promise<T>): Promise<T>;
  /** Do one errand, if there is one and it is its turn: always, or when others had as much time as the last one took. */
  run(othersWait: boolean): Promise<void>;
  /** Do what errands share the time with. */
  timed<T>(step: () => Promise<T>): Promise<T>;
}

export function createErrands(): Errands {
  const errands: (() => Promise<void>)[] = [];
  /** Milliseconds that the others have yet to get. */
  let owed = 0;
  return {
    get waiting() {
      return errands.length;
    },
    add: <T>(errand: () => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        errands.push(async () => {
          await Promise.resolve().then(errand).then(resolve, reject);
        });
      }),
    async run(othersWait) {
      if (errands.length === 0 || (othersWait && owed > 0)) return;
      const start = performance.now();
      await errands.shift()!();
      owed = performance.now() - start;
    },
    async timed(step) {
      const start = performance.now();
      const result = await step();
      owed -= performance.now() - start;
      return result;
    },
  };
}
