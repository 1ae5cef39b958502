import { describeCases } from "./helpers.js";
import { gatherCases, reductionCases, scatterCases, shapeCases } from "./structure.cases.js";

describeCases("shapes", shapeCases);
describeCases("reductions and scans", reductionCases);
describeCases("gather", gatherCases);
describeCases("scatter", scatterCases);
