import childProcess from "node:child_process";
import cluster from "node:cluster";
import dgram from "node:dgram";
import dns from "node:dns";
import dnsPromises from "node:dns/promises";
import fs from "node:fs";
import fsPromises from "node:fs/promises";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import inspector from "node:inspector";
import module from "node:module";
import net from "node:net";
import os from "node:os";
import repl from "node:repl";
import tls from "node:tls";
import vm from "node:vm";
import workers from "node:worker_threads";

/*
 * The wall behind the interpreter. Node's permission model keeps this process from files, processes, threads and native
 * code; the network it leaves open (before Node 25), and what a process knows of its host. So whatever a program might
 * reach that broke out of WebAssembly is taken away here, once the interpreter has started.
 */

const closed = (): never => {
  throw new Error("forbidden in the sandbox");
};

/** Everything of these modules. */
const MODULES: readonly object[] = [
  childProcess,
  cluster,
  dgram,
  dgram.Socket.prototype,
  dns,
  dns.Resolver.prototype,
  dnsPromises,
  dnsPromises.Resolver.prototype,
  fs,
  fsPromises,
  http,
  http2,
  https,
  inspector,
  module,
  net,
  net.Server.prototype,
  net.Socket.prototype,
  os,
  repl,
  tls,
  vm,
  workers,
];

/** Of the process itself: signals, native code, modules that are not imported. */
const PROCESS = [
  "kill",
  "_kill",
  "_debugProcess",
  "_debugEnd",
  "dlopen",
  "getBuiltinModule",
  "binding",
  "_linkedBinding",
];

/** Globals of Node that a WebAssembly interpreter does not need. */
const GLOBALS = [
  "process",
  "global",
  "require",
  "module",
  "fetch",
  "Request",
  "Response",
  "Headers",
  "FormData",
  "WebSocket",
  "EventSource",
  "BroadcastChannel",
  "MessageChannel",
  "navigator",
  "localStorage",
  "sessionStorage",
  "Worker",
];

/** Close what the interpreter does not need. Files that are loaded later, by whomever, are refused as well. */
export function raiseWalls(): void {
  for (const each of MODULES) closeAll(each);
  for (const name of PROCESS)
    Object.defineProperty(process, name, { value: closed, configurable: true, writable: true });
  module.syncBuiltinESMExports?.();
  for (const name of GLOBALS) {
    Object.defineProperty(globalThis, name, { value: undefined, writable: false, configurable: false });
  }
}

function closeAll(target: object): void {
  for (const key of Object.getOwnPropertyNames(target)) {
    if (key === "constructor" || key === "syncBuiltinESMExports") continue;
    const { value, configurable, writable } = Object.getOwnPropertyDescriptor(target, key) ?? {};
    if (typeof value !== "function") continue;
    if (configurable) Object.defineProperty(target, key, { value: closed, configurable: true });
    else if (writable) (target as Record<string, unknown>)[key] = closed;
  }
}
