/** Work that is done between the steps of a generator. */
export interface StepTasks {
  readonly waiting: number;
  add<T>(task: () => Promise<T>): Promise<T>;
  /** Do one task, if there is one and it is its turn: always, or when others had as much time as the last one took. */
  run(othersWait: boolean): Promise<void>;
  /** Do what tasks share the time with. */
  timed<T>(step: () => Promise<T>): Promise<T>;
}

export function createStepTasks(): StepTasks {
  const tasks: (() => Promise<void>)[] = [];
  /** Milliseconds that the others have yet to get. */
  let owed = 0;
  return {
    get waiting() {
      return tasks.length;
    },
    add: <T>(task: () => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        tasks.push(async () => {
          await Promise.resolve().then(task).then(resolve, reject);
        });
      }),
    async run(othersWait) {
      if (tasks.length === 0 || (othersWait && owed > 0)) return;
      const start = performance.now();
      await tasks.shift()!();
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
