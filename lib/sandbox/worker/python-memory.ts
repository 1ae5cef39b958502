/** What this needs of Emscripten's module. */
export interface PyodideModule {
  HEAPU8: Uint8Array;
  FS: {
    streams: (FileStream | null | undefined)[];
    lookupPath(path: string): { node: FileNode };
    chdir(path: string): void;
  };
}

interface FileStream {
  fd: number | null;
}

interface FileNode {
  contents?: unknown;
  usedBytes?: number;
  mtime?: number;
  ctime?: number;
  mode: number;
}

/** Growth of WebAssembly memory past the limit is refused; Python then raises MemoryError. */
export function limitMemory(memoryMb: number): { refused: boolean } {
  const state = { refused: false };
  const most = memoryMb * 1024 * 1024;
  const grow = WebAssembly.Memory.prototype.grow;
  WebAssembly.Memory.prototype.grow = function (this: WebAssembly.Memory, pages: number) {
    if (this.buffer.byteLength + pages * 65_536 > most) {
      state.refused = true;
      throw new RangeError("the memory limit of the sandbox");
    }
    return grow.call(this, pages);
  };
  return state;
}

/**
 * A copy of all that the interpreter knows, to put it back later.
 *
 * @returns `restore` gives false where something outside of its memory has changed for good: files of its library
 */
export function interpreterMemory({ _module: module }: { _module: PyodideModule }): { restore(): boolean } {
  const { FS } = module;
  const image = module.HEAPU8.slice();
  const streams = [...FS.streams];
  const files = libraryFiles(FS);
  return {
    restore() {
      const heap = module.HEAPU8;
      heap.set(image);
      // Memory that a program added is given to the next one as new: zeros.
      if (heap.length > image.length) heap.fill(0, image.length);
      // A program may have closed its input and output, or put something else in their place.
      FS.streams.length = 0;
      for (const [descriptor, stream] of streams.entries()) {
        FS.streams[descriptor] = stream;
        if (stream) stream.fd = descriptor;
      }
      FS.chdir("/home/pyodide");
      return files();
    },
  };
}

/** Whether the files that the interpreter loads its library from, and the number of all others, are as they were. */
function libraryFiles(FS: PyodideModule["FS"]): () => boolean {
  const nodes: { node: FileNode; was: string }[] = [];
  const state = ({ contents, usedBytes, mtime, ctime, mode }: FileNode): string => {
    // Of a folder the names in it.
    const names = contents && !ArrayBuffer.isView(contents) ? Object.keys(contents).join("/") : "";
    return [names, usedBytes, ctime, names ? "" : mtime, mode].join(" ");
  };
  const visit = (node: FileNode) => {
    nodes.push({ node, was: state(node) });
    if (node.contents && !ArrayBuffer.isView(node.contents)) {
      for (const each of Object.values(node.contents as Record<string, FileNode>)) visit(each);
    }
  };
  visit(FS.lookupPath("/").node);
  return () => nodes.every(({ node, was }) => state(node) === was);
}
