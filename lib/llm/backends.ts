import { z } from "zod";
import { checkKeyValues, didYouMean, type KeyValue, ThoughtbookError } from "../core/index.js";
import { type SessionOptions, supportedProviders } from "../tensor/index.js";
import { DIALECTS, type DialectName } from "./http/dialects.js";
import { apiKeyIn } from "./http/key.js";
import { isHttpSpec } from "./http/spec.js";
import type { LanguageModel } from "./language-model.js";
import { type LoadModelOptions, loadLocalModel, loadModel } from "./load-model.js";
import { isLocalModel } from "./local/model.js";
import { parseOnnxSpec } from "./transformers/load.js";

/** What runs a model: this library's engine, transformers.js, or a server that speaks OpenAI's protocol. */
const BACKENDS = ["local", "transformers", "openai"] as const;
export type Backend = (typeof BACKENDS)[number];

export interface BackendOptions {
  /** As in `LoadModelOptions`. */
  numerics?: LoadModelOptions["numerics"];
  lowMemory?: boolean | undefined;
  /** Default: chosen from the specification and the files, as `loadModel` does. */
  backend?: string | undefined;
  /** Arguments of the backend; see {@link chooseBackend}. */
  args?: ReadonlyMap<string, KeyValue> | undefined;
  /** Options of ONNX Runtime, where the arguments say nothing else. */
  session?: SessionOptions | undefined;
  /** Stops a download. */
  signal?: AbortSignal | undefined;
}

/** A model with the settings it was requested with. */
export interface BackendModel {
  model: LanguageModel;
  /** Specification as `loadModel` takes it: the same model in other words has the same specification. */
  spec: string;
  backend: Backend;
  /** Arguments as given; they never contain a key. */
  args: Record<string, KeyValue>;
}

/** A validated choice of backend, before anything is loaded. */
export interface BackendChoice {
  /** Undefined where only the model's files decide. */
  backend: Backend | undefined;
  spec: string;
  options: LoadModelOptions;
  /** Name of the environment variable that holds the key. */
  apiKeyVariable?: string | undefined;
}

const SOURCE = "--backend-args";
const OPENAI = "https://api.openai.com/v1";
const DIALECT_NAMES = Object.keys(DIALECTS) as [DialectName, ...DialectName[]];

const threads = { schema: z.int().positive(), expected: "a whole number above 0" };
const device = { schema: z.string().regex(/^\w+$/), expected: "the name of a device, such as cpu" };
const ENGINE_KEYS = { threads, device };
const TRANSFORMERS_KEYS = { threads, device, dtype: { schema: z.string(), expected: "a type of weights, such as q4" } };
const OPENAI_KEYS = {
  base_url: {
    schema: z.string().regex(/^https?:\/\/[^#]+$/i),
    expected: "an address such as http://127.0.0.1:8000/v1; several, with commas between them, in quotes",
  },
  api_key_env: { schema: z.string().regex(/^[A-Za-z_]\w*$/), expected: "the name of the variable that holds the key" },
  dialect: { schema: z.enum(DIALECT_NAMES), expected: `one of ${DIALECT_NAMES.join(", ")}` },
  concurrency: { schema: z.int().positive(), expected: "a whole number above 0" },
  max_retries: { schema: z.int().nonnegative().max(100), expected: "a whole number up to 100" },
  timeout: { schema: z.number().positive().max(86_400), expected: "seconds, above 0" },
  cache: { schema: z.boolean(), expected: "True or False" },
};

/**
 * Choose a backend by name, with arguments by the names that evaluation commands of Python programs use:
 *
 * - local: threads, device
 * - transformers: threads, device, dtype
 * - openai: base_url (default: OpenAI's own), api_key_env, dialect, concurrency, max_retries, timeout in seconds, cache
 *
 * @throws bad-input for another name (vllm and ray are told what to use instead), an argument that the backend does not
 *   take, a key among the arguments, or a specification of another backend's
 */
export function chooseBackend(spec: string, { backend: name, args = new Map() }: BackendOptions = {}): BackendChoice {
  const ofSpec = isHttpSpec(spec) ? "openai" : parseOnnxSpec(spec) === undefined ? undefined : "transformers";
  const backend = name === undefined ? ofSpec : checkBackend(name, spec);
  if (ofSpec !== undefined && backend !== ofSpec) {
    throw new ThoughtbookError("bad-input", `the model ${spec} is for the backend ${ofSpec}, and ${backend} is given`, {
      hint: `Give the backend ${ofSpec}, or another model.`,
    });
  }
  // Check before anything repeats the argument: its value may be a key.
  if (["api_key", "apiKey", "key", "token"].some((key) => args.has(key))) {
    throw new ThoughtbookError("bad-input", "a key is among the backend's arguments, where other users can see it", {
      hint: "Put it into a variable of the environment, and give that one's name as api_key_env.",
    });
  }
  switch (backend) {
    case undefined:
      if (args.size === 0) return { backend, spec, options: {} };
      throw new ThoughtbookError("bad-input", "there are arguments for a backend, and no backend", {
        hint: `Give --backend as well: ${BACKENDS.join(", ")}.`,
      });
    case "local":
      return { backend, spec, options: sessionOptions(checkKeyValues(args, ENGINE_KEYS, SOURCE)) };
    case "transformers": {
      const { threads, ...onnx } = checkKeyValues(args, TRANSFORMERS_KEYS, SOURCE);
      return { backend, spec: onnxSpec(spec, onnx), options: sessionOptions({ threads }) };
    }
    case "openai":
      return chooseServer(spec, args);
  }
}

/**
 * Load a model on a backend.
 *
 * @throws like {@link chooseBackend} and `loadModel`
 */
export async function loadOnBackend(spec: string, options: BackendOptions = {}): Promise<BackendModel> {
  const { session, signal, numerics, lowMemory, args = new Map() } = options;
  const choice = chooseBackend(spec, options);
  const loading: LoadModelOptions = {
    ...choice.options,
    session: { ...session, ...choice.options.session },
    signal,
    numerics,
    lowMemory,
  };
  if (choice.apiKeyVariable !== undefined) {
    loading.http = { ...loading.http, apiKey: await apiKeyIn(choice.apiKeyVariable) };
  }
  const model = await (choice.backend === "local" ? loadLocalModel : loadModel)(choice.spec, loading);
  const backend = choice.backend ?? (isLocalModel(model) ? "local" : "transformers");
  // What is not the default is said beside the arguments, so that records name the path of their numbers.
  const path = { ...(numerics === "fast" ? { numerics } : {}), ...(lowMemory ? { lowMemory } : {}) };
  return { model, spec: choice.spec, backend, args: { ...Object.fromEntries(args), ...path } };
}

function checkBackend(name: string, spec: string): Backend {
  const known = BACKENDS.find((backend) => backend === name);
  if (known !== undefined) return known;
  if (name === "vllm" || name === "ray") {
    throw new ThoughtbookError("bad-input", `the backend ${name} runs in Python, not here`, {
      hint: `Serve the model with vLLM and give --backend openai --backend-args base_url=http://127.0.0.1:8000/v1, or --model http://127.0.0.1:8000/v1#${spec}.`,
    });
  }
  throw new ThoughtbookError("bad-input", `there is no backend ${JSON.stringify(name)}`, {
    hint: `${didYouMean(name, BACKENDS)}Choose ${BACKENDS.join(", ")}.`,
  });
}

interface EngineArguments {
  threads?: number | undefined;
  device?: string | undefined;
}

function sessionOptions({ threads, device }: EngineArguments): LoadModelOptions {
  if (device !== undefined && !supportedProviders().includes(device)) {
    throw new ThoughtbookError("bad-input", `${JSON.stringify(device)} is no device of this machine`, {
      hint: `Devices here: ${supportedProviders().join(", ")}.`,
    });
  }
  const session = {
    ...(threads === undefined ? {} : { threads }),
    ...(device === undefined ? {} : { executionProviders: [device] }),
  };
  return Object.keys(session).length > 0 ? { session } : {};
}

/** The specification with defaults made explicit. */
function onnxSpec(spec: string, { dtype, device }: { dtype?: string; device?: string }): string {
  const parsed = parseOnnxSpec(spec) ?? { model: spec };
  for (const [key, given] of Object.entries({ dtype, device })) {
    const said = parsed[key as "dtype" | "device"];
    if (given === undefined || said === undefined || said === given) continue;
    throw new ThoughtbookError("bad-input", `the model ${spec} says ${said}, and ${SOURCE} ${key}=${given}`, {
      hint: "Give one of them.",
    });
  }
  const choice = [dtype ?? parsed.dtype, device ?? parsed.device].filter((each) => each !== undefined).join(",");
  const chosen = `onnx:${parsed.model}${choice === "" ? "" : `#${choice}`}`;
  parseOnnxSpec(chosen); // Throws for an unknown dtype or device.
  return chosen;
}

function chooseServer(spec: string, args: ReadonlyMap<string, KeyValue>): BackendChoice {
  const given = checkKeyValues(args, OPENAI_KEYS, SOURCE);
  if (given.base_url !== undefined && isHttpSpec(spec)) {
    throw new ThoughtbookError("bad-input", "the model's specification and base_url both give an address", {
      hint: "Give one of them.",
    });
  }
  const { base_url: baseUrl = OPENAI, dialect, concurrency, max_retries: retries, timeout, cache } = given;
  const http = {
    ...(dialect === undefined ? {} : { dialect }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(retries === undefined ? {} : { attempts: retries + 1 }),
    ...(timeout === undefined ? {} : { timeoutMs: 1000 * timeout }),
    ...(cache === undefined ? {} : { cache }),
  };
  return {
    backend: "openai",
    spec: isHttpSpec(spec) ? spec : `${baseUrl}#${spec}`,
    options: { http },
    apiKeyVariable: given.api_key_env,
  };
}
