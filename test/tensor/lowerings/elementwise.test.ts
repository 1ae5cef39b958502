import { arithmeticCases, comparisonCases, unaryTable } from "./elementwise.cases.js";
import { describeCases } from "./helpers.js";

describeCases("arithmetic", arithmeticCases);
describeCases("comparison", comparisonCases);
describeCases("unary", unaryTable);
