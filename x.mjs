import { writeFileSync } from "node:fs";
import { createRandom } from "thoughtbook/core";
import { loadGsm8k, partOf, problemGraph } from "thoughtbook/data";
import { annotatedExample } from "thoughtbook/operations";

const { problems } = await loadGsm8k("train");
const r = createRandom("demonstrations");
const ok = [];
const ops = ["answer", "cot", "judge", "program", "verify", "revise"];
for (const p of problems) {
  if (partOf(`gsm8k/${p.id}`) !== "rest") continue;
  const g = problemGraph(p);
  const n = g.graph.nodes;
  if (
    g.issues.length ||
    g.ambiguous.length ||
    n.length < 2 ||
    n.length > 5 ||
    n.length !== p.steps.length ||
    g.answerNode !== n.length - 1
  )
    continue;
  if (
    !n.every((x) => x.expression) ||
    !/^[\x20-\x7e\n]*$/.test(p.question) ||
    p.question.length > 320 ||
    !n.every((x) => x.value && x.value.d === 1n)
  )
    continue;
  // every step is used
  if (!n.slice(0, -1).every((_, i) => n.some((m) => m.dependsOn.includes(i)))) continue;
  if (!p.steps.every((s) => /[.]$/.test(s.text) && /^[\x20-\x7e]*$/.test(s.text))) continue;
  if (!ops.every((o) => annotatedExample(o, p, g, r))) continue;
  ok.push(p);
}
const every = ok.length / 240;
const solutions = Array.from({ length: 240 }, (_, i) => Number(ok[Math.floor(i * every)].id.split("/")[1]));
const graphs = [
  20, 174, 263, 369, 376, 721, 895, 1251, 1289, 1351, 1451, 1458, 1559, 1839, 1937, 2037, 2294, 2363, 2468, 2681, 453,
  485, 534, 693, 711, 725, 740, 748, 1135, 1167, 1421, 1467, 1529, 1541, 1714, 1797, 2194, 2375, 2550, 2639,
].sort((a, b) => a - b);
console.log(ok.length, solutions.length);
const about =
  "Rows (from 0) of GSM8K's training split, all in its part `rest`, that worked examples are made of on the user's machine. solutions: 240 rows at even distances among those whose solution is 2 to 5 whole sentences with one calculation each, every one of them used, and whole numbers; graphs: read one by one, those whose sub-questions and first contraction are worded as a person would.";
writeFileSync(
  "data/operations/demonstrations.json",
  JSON.stringify({ about, solutions, graphs })
    .replace('{"about"', '{\n  "about"')
    .replace(',"solutions"', ',\n  "solutions"')
    .replace(',"graphs"', ',\n  "graphs"')
    .replace(/}$/, "\n}\n"),
);
const byId = new Map(problems.map((p) => [p.id, p]));
for (const i of [3, 77]) {
  const p = byId.get(`train/${solutions[i]}`);
  for (const o of [...ops, "rewrite", "explain"]) {
    const e = annotatedExample(o, p, problemGraph(p), r);
    console.log(`--- ${o}\n${e.prompt}\n>>>\n${e.completion}`);
  }
}
