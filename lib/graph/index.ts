export {
  type Dependencies,
  type GraphProblem,
  type GraphStatistics,
  graphProblems,
  graphStatistics,
  layers,
  longestPath,
  sources,
} from "./dependencies.js";
export {
  type Contraction,
  computeValues,
  contract,
  dependenciesOf,
  type QuestionGraph,
  type SubQuestion,
} from "./question-graph.js";
export { sameShape } from "./same-shape.js";
