import { describeCases } from "./helpers.js";
import { convolutionCases, imageCases, matMulCases, poolCases } from "./products.cases.js";

describeCases("matrix products", matMulCases);
describeCases("convolutions", convolutionCases);
describeCases("pools", poolCases);
describeCases("images and normalisations", imageCases);
