import { createRandom } from "thoughtbook/core";
import { generate, type HostModel, type ScoreSequence, score, scoreWithTop } from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { apart, checkpoint, expectedTensor, PARITY, randomModel } from "../generate/helpers.js";

function sequences(count: number, vocabulary: number, longest: number): number[][] {
  const random = createRandom(4);
  return Array.from({ length: count }, () =>
    Array.from({ length: 2 + random.integer(longest - 1) }, () => random.integer(vocabulary)),
  );
}

describe("score", () => {
  it.each(PARITY)("is PyTorch's log-softmax: %s", async (name) => {
    const model = await checkpoint(name);
    const ids = await expectedTensor(name, "input_ids");
    const logits = await expectedTensor(name, "logits");
    const [batch, time, vocabulary] = logits.shape as [number, number, number];
    const rows = Array.from({ length: batch }, (_, row) => ids.data.slice(row * time, (row + 1) * time));
    // A longer sequence in the batch makes the others padded.
    const scores = await score(model, [...rows, sequences(1, vocabulary, 40)[0]!.concat(Array(20).fill(1))]);
    for (const [row, tokens] of rows.entries()) {
      const expected = tokens.slice(1).map((id, i) => {
        const start = (row * time + i) * vocabulary;
        const all = logits.data.slice(start, start + vocabulary);
        return all[id]! - Math.log(all.reduce((sum, logit) => sum + Math.exp(logit), 0));
      });
      expect(apart(scores[row]!, expected)).toBeLessThan(1e-4);
    }
  });

  it.each([...PARITY, "stories260k"])("is the same with any batch: %s", async (name) => {
    const model = await checkpoint(name);
    const texts = sequences(9, model.config.vocabularySize, 60);
    const alone = await score(model, texts, { batchSize: 1 });
    expect(alone.map(({ length }) => length)).toEqual(texts.map(({ length }) => length - 1));
    for (const batchSize of [2, 16, undefined]) {
      const together = await score(model, texts, { batchSize });
      for (const [i, scores] of together.entries()) expect(apart(scores, alone[i]!)).toBeLessThan(1e-4);
    }
  });

  it.each([...PARITY, "stories260k"])("computes a common beginning once, with the same result: %s", async (name) => {
    const model = await checkpoint(name);
    const [shared, other, ...own] = sequences(8, model.config.vocabularySize, 20);
    const long = Array.from({ length: 4 }, () => [...shared!, ...other!])
      .flat()
      .slice(0, 40);
    const texts: ScoreSequence[] = [
      ...own.map((part) => [...long, ...part]),
      { prompt: long, continuation: own[0]! },
      { prompt: long.slice(0, 20), continuation: long.slice(20) },
      // The same twice, one that is the beginning of the other, and one that has nothing in common with them.
      long,
      long,
      long.slice(0, 30),
      own[1]!,
    ];
    const done: number[] = [];
    const together = await score(model, texts, { onProgress: (count) => done.push(count) });
    const alone = await score(model, texts, { batchSize: 1 });
    for (const [i, scores] of together.entries()) expect(apart(scores, alone[i]!), `text ${i}`).toBeLessThan(1e-4);
    expect(done.at(-1)).toBe(texts.length);
    const top = await scoreWithTop(model, texts, 2);
    for (const [i, { logProbs }] of top.entries()) expect(apart(logProbs, alone[i]!)).toBeLessThan(1e-4);
  });

  it("tells the most probable tokens in each place, as generation does", async () => {
    const model = await checkpoint("stories260k");
    const texts = sequences(5, model.config.vocabularySize, 60);
    const plain = await score(model, texts);
    const scored = await scoreWithTop(model, texts, 4);
    for (const [i, { logProbs, top }] of scored.entries()) {
      expect(apart(logProbs, plain[i]!)).toBeLessThan(1e-4);
      expect(top.map(({ length }) => length)).toEqual(Array(texts[i]!.length - 1).fill(4));
      const at = texts[i]!.length >> 1;
      const [next] = await generate(model, [
        { prompt: texts[i]!.slice(0, at), maxNewTokens: 1, temperature: 0, topLogProbs: 4 },
      ]);
      expect(top[at - 1]!.map(({ id }) => id)).toEqual(next!.top[0]!.map(({ id }) => id));
      expect(
        apart(
          top[at - 1]!.map(({ logProb }) => logProb),
          next!.top[0]!.map(({ logProb }) => logProb),
        ),
      ).toBeLessThan(1e-4);
    }
    expect((await scoreWithTop(model, texts, 0))[0]!.top).toEqual([]);
    await expect(scoreWithTop(model, texts, 0.5)).rejects.toThrow(/topLogProbs is 0.5/);
  });

  it("scores a continuation alone, as the last part of the whole", async () => {
    const model = randomModel();
    const [text] = sequences(1, 300, 50);
    const [whole] = await score(model, [text!]);
    const parts = [1, 5, text!.length - 1].map((at) => ({ prompt: text!.slice(0, at), continuation: text!.slice(at) }));
    for (const [i, scores] of (await score(model, parts)).entries()) {
      expect(apart(scores, whole!.slice(parts[i]!.prompt.length - 1))).toBeLessThan(1e-5);
    }
    expect(await score(model, [[7]])).toEqual([new Float32Array(0)]);
    expect(await score(model, [])).toEqual([]);
  });

  it("computes the output layer in parts where a batch has many tokens", async () => {
    const model = randomModel({ num_hidden_layers: 1 });
    const texts = sequences(5, 300, 40).map((text) => Array.from({ length: 1200 }, (_, i) => text[i % text.length]!));
    const together = await score(model, texts, { batchSize: 5 });
    const alone = await score(model, texts, { batchSize: 1 });
    for (const [i, scores] of together.entries()) expect(apart(scores, alone[i]!)).toBeLessThan(1e-4);
  });

  it("gives the log-probabilities that generating gave", async () => {
    const model: HostModel = randomModel();
    const [text] = await generate(model, [{ prompt: [4, 5], maxNewTokens: 30, stopIds: [] }]);
    const [scores] = await score(model, [{ prompt: [4, 5], continuation: text!.ids }]);
    expect(apart(scores!, text!.logProbs)).toBeLessThan(1e-4);
  });

  const bad: [string, ScoreSequence, RegExp][] = [
    ["an empty sequence", [], /sequence 1 cannot be scored: it is empty/],
    ["an empty prompt", { prompt: [], continuation: [1] }, /its prompt is empty/],
    ["an empty continuation", { prompt: [1], continuation: [] }, /its continuation is empty/],
    ["an id outside the vocabulary", [1, -1], /sequence 1 has the id -1 at place 1/],
    ["more tokens than the context", Array(2049).fill(1), /has 2049 tokens, more than the model's context of 2048/],
  ];
  it.each(bad)("refuses %s", async (_, sequence, message) => {
    await expect(score(randomModel(), [[1, 2], sequence])).rejects.toThrow(message);
  });

  it("can be interrupted between batches and tells how far it is", async () => {
    const stop = new AbortController();
    const done: number[] = [];
    const work = score(randomModel(), sequences(6, 300, 10), {
      batchSize: 2,
      signal: stop.signal,
      onProgress: (count) => {
        done.push(count);
        if (count >= 4) stop.abort();
      },
    });
    await expect(work).rejects.toMatchObject({ code: "interrupted" });
    expect(done).toEqual([2, 4]);
  });
});
