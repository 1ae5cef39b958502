import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { PbfWriter } from "pbf";
import { fileSystemError, ThoughtbookError } from "../core/index.js";
import {
  GRAPH_INITIALIZER,
  MODEL_GRAPH,
  type NamedGraph,
  type OnnxElementType,
  TENSOR_BYTES,
  type TensorHead,
  writeGraph,
  writeModelHead,
  writeTensorHead,
} from "./onnx.js";
import { sizeOf } from "./tensor-data.js";

/** Tensors of a model file that are made together, when it is their turn to be written. */
export interface OnnxTensors {
  heads: readonly TensorHead[];
  /** The bytes of each, row-major and little-endian. */
  read(): Promise<readonly Uint8Array[]>;
}

/** A graph and the tensors that its nodes use besides its inputs. */
export interface OnnxModel extends NamedGraph {
  tensors: readonly OnnxTensors[];
}

export interface OnnxFileOptions {
  /** Keep the large tensors in a file beside the model, `NAME.onnx_data`. Default: {@link belongsOutside}. */
  externalData?: boolean | undefined;
  /** Called after each piece with the bytes of tensors written so far. */
  onBytes?: ((bytes: number) => void) | undefined;
  /** Stops between two tensors, by throwing its reason. */
  signal?: AbortSignal | undefined;
}

/** A protocol buffer ends at 2 GiB; the rest is for the graph, and for readers that count less exactly. */
const INLINE_UP_TO = 1.8e9;
/** Smaller tensors stay in the model file: shapes and axes are read there before any data is. */
const OUTSIDE_FROM = 1024;
/** ONNX asks for whole pages, so that a reader can map them (external data, onnx.proto3). */
const PAGE = 4096;
const BYTES_EACH: Readonly<Record<OnnxElementType, number>> = {
  float32: 4,
  float16: 2,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
};
const LENGTH_DELIMITED = 2;
const EXTERNAL = 1;

const byteLength = ({ dtype, shape }: TensorHead): number => sizeOf(shape) * BYTES_EACH[dtype];

/** Bytes of all tensors of a model. */
export const tensorBytes = ({ tensors }: Pick<OnnxModel, "tensors">): number =>
  tensors.flatMap(({ heads }) => heads).reduce((sum, head) => sum + byteLength(head), 0);

/** Whether a model's tensors are too large for its own file, which cannot have 2 GiB. */
export const belongsOutside = (model: Pick<OnnxModel, "tensors">): boolean => tensorBytes(model) > INLINE_UP_TO;

/**
 * Write an ONNX model. Only the tensors that are made together are in memory at a time. A file that could not be
 * finished is left where it is.
 *
 * @throws file-system; what reading a tensor throws; the reason of the signal
 */
export async function writeOnnxFile(path: string, model: OnnxModel, options: OnnxFileOptions = {}): Promise<void> {
  const { externalData = belongsOutside(model) } = options;
  await (externalData ? writeOutside(path, model, options) : writeInline(path, model, options));
}

async function writeInline(path: string, model: OnnxModel, options: OnnxFileOptions): Promise<void> {
  const graph = encode((pbf) => writeGraph(model, pbf));
  const starts = new Map(model.tensors.flatMap(({ heads }) => heads).map((head) => [head, inlineStart(head)]));
  let length = graph.length;
  for (const [head, start] of starts) length += start.length + byteLength(head);
  await writing(path, async (file) => {
    await file.appendFile(encode((pbf) => writeModelHead(pbf, model.opset)));
    await file.appendFile(encode((pbf) => writeTag(MODEL_GRAPH, length, pbf)));
    await file.appendFile(graph);
    await eachTensor(model, options, async (head, bytes) => {
      await file.appendFile(starts.get(head)!);
      await file.appendFile(bytes);
    });
  });
}

/** What comes before the bytes of a tensor inside the graph. */
function inlineStart(head: TensorHead): Uint8Array {
  const bytes = byteLength(head);
  const inner = encode((pbf) => {
    writeTensorHead(head, pbf);
    writeTag(TENSOR_BYTES, bytes, pbf);
  });
  const outer = encode((pbf) => writeTag(GRAPH_INITIALIZER, inner.length + bytes, pbf));
  return Buffer.concat([outer, inner]);
}

async function writeOutside(path: string, model: OnnxModel, options: OnnxFileOptions): Promise<void> {
  const location = `${basename(path)}_data`;
  const initializers: ((pbf: PbfWriter) => void)[] = [];
  await writing(`${path}_data`, async (file) => {
    let end = 0;
    await eachTensor(model, options, async (head, bytes) => {
      if (bytes.length < OUTSIDE_FROM) {
        const kept = bytes.slice();
        initializers.push((pbf) => {
          writeTensorHead(head, pbf);
          pbf.writeBytesField(TENSOR_BYTES, kept);
        });
        return;
      }
      const offset = Math.ceil(end / PAGE) * PAGE;
      await file.appendFile(new Uint8Array(offset - end));
      await file.appendFile(bytes);
      end = offset + bytes.length;
      const entries = { location, offset: String(offset), length: String(bytes.length) };
      initializers.push((pbf) => {
        writeTensorHead(head, pbf);
        for (const entry of Object.entries(entries)) pbf.writeMessage(13, writeEntry, entry);
        pbf.writeVarintField(14, EXTERNAL);
      });
    });
  });
  const whole = encode((pbf) => {
    writeModelHead(pbf, model.opset);
    pbf.writeMessage(
      MODEL_GRAPH,
      (_, message) => {
        writeGraph(model, message);
        for (const initializer of initializers)
          message.writeMessage(GRAPH_INITIALIZER, (write, to) => write(to), initializer);
      },
      undefined,
    );
  });
  await writing(path, (file) => file.appendFile(whole));
}

async function eachTensor(
  model: OnnxModel,
  { onBytes, signal }: OnnxFileOptions,
  write: (head: TensorHead, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  let written = 0;
  for (const { heads, read } of model.tensors) {
    signal?.throwIfAborted();
    const made = await read();
    for (const [i, head] of heads.entries()) {
      const bytes = made[i];
      if (bytes?.length !== byteLength(head)) throw wrongSize(head, bytes);
      await write(head, bytes);
      written += bytes.length;
    }
    onBytes?.(written);
  }
}

async function writing(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "w");
    await write(file);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : fileSystemError(error, "write", path);
  } finally {
    await file?.close();
  }
}

function encode(write: (pbf: PbfWriter) => void): Uint8Array {
  const pbf = new PbfWriter();
  write(pbf);
  return pbf.finish();
}

function writeTag(field: number, length: number, pbf: PbfWriter): void {
  pbf.writeTag(field, LENGTH_DELIMITED);
  pbf.writeVarint(length);
}

function writeEntry([key, value]: [string, string], pbf: PbfWriter): void {
  pbf.writeStringField(1, key);
  pbf.writeStringField(2, value);
}

function wrongSize(head: TensorHead, bytes: Uint8Array | undefined): ThoughtbookError {
  const message = `tensor ${JSON.stringify(head.name)} of an ONNX file has ${bytes?.length ?? 0} bytes, but its shape [${head.shape.join(", ")}] needs ${byteLength(head)}`;
  return new ThoughtbookError("bad-input", message, { hint: "Give the shape that the numbers have." });
}
