// Kelvin's runtime for functions in Node: loads a module, warms it up, and serves its handler. Needs Node 18 or newer, and no packages.
//
//   node kelvin-node.cjs [--on-timeout=continue] [--abort-signal=SIGUSR2] index.handler
"use strict";

const { AsyncLocalStorage } = require("node:async_hooks");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { Writable } = require("node:stream");
const { pathToFileURL } = require("node:url");
const util = require("node:util");

const [host, port] = (process.env.AWS_LAMBDA_RUNTIME_API ?? "").split(/:(?=\d+$)/);
const invocations = new AsyncLocalStorage();
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");

/** An error of AWS's names, or of ours beside them. */
class RuntimeError extends Error {
  constructor(name, message) {
    super(message);
    this.name = `Runtime.${name}`;
  }
}

// ---------------------------------------------------------------------------------------------------- the Runtime API

// The call for the next event waits on a connection of its own: an answer may be sent beside it.
const waiting = new http.Agent({ keepAlive: true, maxSockets: 1 });
const answering = new http.Agent({ keepAlive: true, maxFreeSockets: 2 });

function ask(method, route, body, headers = {}, agent = answering) {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.from(body ?? "");
    const options = { host, port, agent, method, path: route, headers: { ...headers, "Content-Length": bytes.length } };
    const request = http.request(options, (reply) => {
      const pieces = [];
      reply.on("data", (piece) => pieces.push(piece));
      reply.on("end", () => resolve({ status: reply.statusCode, headers: reply.headers, body: Buffer.concat(pieces) }));
      reply.on("error", reject);
    });
    request.on("error", reject);
    request.end(bytes);
  });
}

const invocationPath = (id, what) => `/2018-06-01/runtime/invocation/${id}/${what}`;

/** What answers are marked with, so that none is taken for the answer of another attempt. */
const attemptHeader = (event) => (event.attempt ? { "Lambda-Runtime-Invocation-Id": event.attempt } : {});

async function nextEvent() {
  const { status, headers, body } = await ask("GET", "/2018-06-01/runtime/invocation/next", "", {}, waiting);
  if (status !== 200) throw new Error(`The host answered ${status} to the call for the next event.`);
  return {
    id: headers["lambda-runtime-aws-request-id"],
    attempt: headers["lambda-runtime-invocation-id"],
    deadline: Number(headers["lambda-runtime-deadline-ms"] ?? Date.now()),
    arn: headers["lambda-runtime-invoked-function-arn"],
    trace: headers["lambda-runtime-trace-id"],
    tenant: headers["lambda-runtime-aws-tenant-id"],
    clientContext: parsedField(headers["lambda-runtime-client-context"]),
    identity: parsedField(headers["lambda-runtime-cognito-identity"]),
    body,
  };
}

const parsed = (text) => (text ? JSON.parse(text) : undefined);
// Node reads header fields as Latin-1; the host sends UTF-8.
const parsedField = (text) => parsed(text && Buffer.from(text, "latin1").toString());

// ------------------------------------------------------------------------------------------------------------- errors

/** The document that a caller is given. */
function errorDocument(error) {
  if (util.types.isNativeError(error) || (error && error.name && error.message !== undefined && error.stack)) {
    return {
      errorType: String(error.name), errorMessage: String(error.message), trace: String(error.stack ?? "").split("\n"),
    };
  }
  let text;
  try {
    text = String(error);
  } catch {
    text = "Unknown error";
  }
  return { errorType: typeof error, errorMessage: text, trace: [] };
}

function errorHeaders(error) {
  const name = String(error?.name ?? "");
  const type = /^Runtime\.[A-Z][a-zA-Z]+$/.test(name) ? name : /^[A-Z][a-zA-Z]+$/.test(name) ? `Function.${name}` : "Function.Unknown";
  return { "Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": type };
}

function logError(title, error) {
  const { errorType, errorMessage, trace } = errorDocument(error);
  console.error(`${title} \t${JSON.stringify({ errorType, errorMessage, ...ownMembers(error), stack: trace })}`);
}

function ownMembers(error) {
  try {
    return error && typeof error === "object" ? JSON.parse(JSON.stringify({ ...error, name: undefined })) : {};
  } catch {
    return {};
  }
}

// ---------------------------------------------------------------------------------------------------------------- log

const isJSONLog = process.env.AWS_LAMBDA_LOG_FORMAT === "JSON";

/** One line for each call, with time, request and level, as AWS writes them. */
function patchConsole() {
  const levels = { log: "INFO", info: "INFO", debug: "DEBUG", warn: "WARN", error: "ERROR", trace: "TRACE", fatal: "FATAL" };
  for (const [name, level] of Object.entries(levels)) {
    console[name] = (...words) => {
      const requestId = invocations.getStore()?.event.id;
      const message = util.format(...words);
      const time = new Date().toISOString();
      process.stdout.write(
        isJSONLog
          ? `${JSON.stringify({ timestamp: time, level, ...(requestId ? { requestId } : {}), message })}\n`
          : `${time}\t${requestId ?? "undefined"}\t${level}\t${message.replace(/\n/g, "\r")}\n`);
    };
  }
}

// --------------------------------------------------------------------------------------------------------- the module

const EXTENSIONS = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"];

const isFile = (file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;

/** `folder/index.name.of.handler`: the module's path, and the way to the handler in its exports. */
function splitHandler(text) {
  if (text.includes("..")) {
    throw new RuntimeError(
      "MalformedHandlerName", `'${text}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  }
  const base = path.basename(text);
  const match = /^([^.]*)\.(.+)$/.exec(base);
  if (!match || !match[1]) throw new RuntimeError("MalformedHandlerName", "Bad handler: write the file's name without its ending, a dot, and the exported name, such as index.handler.");
  return { module: path.join(text.slice(0, text.length - base.length), match[1]), names: match[2].split(".") };
}

function isESModule(file) {
  if (/\.m[jt]s$/.test(file)) return true;
  if (/\.c[jt]s$/.test(file)) return false;
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, "package.json");
    if (isFile(manifest)) {
      try {
        return JSON.parse(fs.readFileSync(manifest, "utf8")).type === "module";
      } catch {
        return false;
      }
    }
    if (folder === path.dirname(folder)) return false;
  }
}

async function loadModule(module) {
  const root = process.env.LAMBDA_TASK_ROOT ?? process.cwd();
  const start = path.resolve(root, module);
  const file = isFile(start) ? start : EXTENSIONS.map((ending) => start + ending).find(isFile);
  if (!file) {
    try {
      return require(require.resolve(module, { paths: [root] }));
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
      const names = EXTENSIONS.map((ending) => `${path.basename(module)}${ending}`).join(", ");
      throw new RuntimeError("ImportModuleError", `Error: Cannot find module '${module}': ${path.dirname(start)} has none of ${names}. Correct handler or directory in kelvin.yaml.`);
    }
  }
  if (/\.[mc]?ts$/.test(file) && !process.features.typescript) {
    throw new RuntimeError(
      "ImportModuleError",
      `${path.basename(file)} is TypeScript, which Node ${process.version} does not run. Use Node 22.18 or newer, which strips types; or compile it to JavaScript.`);
  }
  if (isESModule(file)) return import(pathToFileURL(file).href);
  try {
    return require(file);
  } catch (error) {
    // Syntax of ES modules in a file without a mark of them: newer versions of Node find out by themselves.
    if (error.code === "ERR_REQUIRE_ESM" || error.code === "ERR_REQUIRE_ASYNC_MODULE") return import(pathToFileURL(file).href);
    throw error;
  }
}

async function load(module) {
  try {
    return await loadModule(module);
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    if (error instanceof SyntaxError) {
      const isModule = /Cannot use import statement|Unexpected token 'export'/.test(error.message);
      const advice = isModule ? ' It is written as an ES module: name it .mjs, or write "type": "module" into package.json.' : "";
      const where = String(error.stack ?? "").split("\n")[0];
      throw Object.assign(new RuntimeError("UserCodeSyntaxError", `SyntaxError: ${error.message}${where.includes(":") && where.startsWith("/") ? ` (${where})` : ""}${advice}`), { stack: error.stack });
    }
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
      throw Object.assign(new RuntimeError("ImportModuleError", `Error: ${error.message}`), { stack: error.stack });
    }
    throw error;
  }
}

function handlerOf(exported, names, text) {
  const found = names.reduce((value, name) => value?.[name], exported) ?? names.reduce((value, name) => value?.[name], exported?.default);
  if (found === undefined || found === null) {
    const others = Object.keys(exported ?? {}).filter((name) => typeof exported[name] === "function").slice(0, 5);
    throw new RuntimeError("HandlerNotFound", `${text} is undefined or not exported${others.length ? `; the module exports ${others.join(", ")}` : ""}`);
  }
  if (typeof found !== "function") throw new RuntimeError("HandlerNotFound", `${text} is not a function`);
  return found;
}

// --------------------------------------------------------------------------------------------------- config and warm-up

function memoryBytes(value) {
  const match = /^(\d+(?:\.\d+)?)(MB|GB)?$/.exec(typeof value === "number" || typeof value === "string" ? String(value) : "");
  const bytes = match ? Math.floor(Number(match[1]) * (match[2] === "GB" ? 2 ** 30 : 2 ** 20)) : NaN;
  if (!(bytes >= 128 * 2 ** 20 && bytes <= 10 * 2 ** 30)) {
    throw new RuntimeError("InvalidConfiguration", `config.memory is ${util.inspect(value)}: write 512, "512MB" or "0.5GB", from 128MB to 10GB.`);
  }
  return bytes;
}

function timeoutNanoseconds(value) {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(typeof value === "number" || typeof value === "string" ? String(value) : "");
  const seconds = match ? Number(match[1]) * { ms: 0.001, s: 1, m: 60 }[match[2] ?? "s"] : NaN;
  if (!(seconds > 0 && seconds <= 900)) {
    throw new RuntimeError("InvalidConfiguration", `config.timeout is ${util.inspect(value)}: write a number of seconds, "10s" or "500ms", up to 900 seconds.`);
  }
  return Math.round(seconds * 1e9);
}

function concurrency(name, value) {
  if (!Number.isInteger(value) || value < 0 || value > 100_000) {
    throw new RuntimeError("InvalidConfiguration", `config.${name} is ${util.inspect(value)}: write a whole number from 0 to 100000.`);
  }
  return value;
}

const CONFIG = {
  memory: ["memoryBytes", memoryBytes],
  timeout: ["timeoutNanoseconds", timeoutNanoseconds],
  reserved: ["reserved", (value) => concurrency("reserved", value)],
  provisioned: ["provisioned", (value) => concurrency("provisioned", value)],
};

async function tellConfig(exported) {
  const config = exported.config;
  if (config === undefined) return;
  if (config === null || typeof config !== "object" || Array.isArray(config)) {
    throw new RuntimeError("InvalidConfiguration", `The export config is ${util.inspect(config)}: export an object, such as { memory: "512MB", timeout: 10 }.`);
  }
  const told = {};
  for (const [name, value] of Object.entries(config)) {
    if (!Object.hasOwn(CONFIG, name)) {
      throw new RuntimeError("InvalidConfiguration", `config.${name} is not known: config takes ${Object.keys(CONFIG).join(", ")}.`);
    }
    if (value === undefined) continue;
    told[CONFIG[name][0]] = CONFIG[name][1](value);
  }
  const { status, body } = await ask("PUT", "/kelvin/v1/configuration", JSON.stringify(told));
  if (status >= 300) throw new RuntimeError("InvalidConfiguration", parsed(body.toString())?.errorMessage ?? `The host answered ${status} to config.`);
}

async function warmUp(exported) {
  const hook = exported.warmup;
  if (hook === undefined) return;
  if (typeof hook !== "function") {
    throw new RuntimeError("InvalidWarmUp", `The export warmup is ${util.inspect(hook)}: export a function, or nothing of this name.`);
  }
  const start = process.hrtime.bigint();
  let failure = null;
  try {
    await hook();
  } catch (error) {
    failure = errorDocument(error).errorMessage;
    logError("The warm-up failed; the instance serves anyway.", error);
  }
  const report = { durationNanoseconds: Number(process.hrtime.bigint() - start), error: failure };
  await ask("PUT", "/kelvin/v1/warmup", JSON.stringify(report));
}

// ------------------------------------------------------------------------------------------------------------ streams

/** The answer of a handler that streams: a request to the host that is opened with the first bytes. */
class ResponseStream extends Writable {
  #event;
  #request;
  #contentType = "application/octet-stream";
  #done = false;

  constructor(event) {
    super({ highWaterMark: 64 * 1024 });
    this.#event = event;
    /** Settled once the host has the whole answer. */
    this.sent = new Promise((resolve, reject) => Object.assign(this, { _resolve: resolve, _reject: reject }));
    this.sent.catch(() => {});
  }

  setContentType(type) {
    this.#contentType = type;
  }

  get hasBegun() {
    return this.#request !== undefined;
  }

  #open() {
    if (this.#request) return;
    this.#request = http.request({
      host, port, agent: answering, method: "POST", path: invocationPath(this.#event.id, "response"),
      headers: {
        "Content-Type": this.#contentType,
        "Lambda-Runtime-Function-Response-Mode": "streaming",
        Trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
        "Transfer-Encoding": "chunked",
        ...attemptHeader(this.#event),
      },
    }, (reply) => {
      reply.resume();
      reply.on("end", () => {
        this.#done = true;
        this._resolve(reply.statusCode);
        // The host wants no more of it: the caller has another answer, or it is too large.
        if (!this.writableFinished) this.destroy();
      });
    });
    this.#request.on("error", (error) => {
      if (this.#done) return;
      this._reject(error);
      this.destroy(error);
    });
    this._onBeforeFirstWrite?.((bytes) => this.#request.write(bytes));
  }

  _write(bytes, _, done) {
    this.#open();
    if (this.#request.write(bytes)) done();
    else {
      // Whichever comes first.
      const go = () => {
        this.#request.off("drain", go).off("close", go);
        done();
      };
      this.#request.on("drain", go).on("close", go);
    }
  }

  _final(done) {
    this.#open();
    this.#request.end(done);
  }

  /** The handler failed after the beginning. */
  fail(error) {
    this.#addFailure(error);
    this.end();
  }

  /** What was destroyed before its end is no whole answer. */
  _destroy(error, done) {
    const request = this.#request;
    if (request && !request.writableEnded && !request.destroyed) {
      this.#addFailure(error ?? new Error("The stream was destroyed before its end."));
      request.end();
    }
    done(error);
  }

  #addFailure(error) {
    this.#request.addTrailers({
      "Lambda-Runtime-Function-Error-Type": errorHeaders(error)["Lambda-Runtime-Function-Error-Type"],
      "Lambda-Runtime-Function-Error-Body": Buffer.from(JSON.stringify(errorDocument(error))).toString("base64"),
    });
  }
}

class HttpResponseStream {
  static from(stream, prelude) {
    stream.setContentType("application/vnd.awslambda.http-integration-response");
    const text = JSON.stringify(prelude);
    stream._onBeforeFirstWrite = (write) => write(Buffer.concat([Buffer.from(text), Buffer.alloc(8)]));
    return stream;
  }
}

globalThis.awslambda = {
  ...globalThis.awslambda,
  streamifyResponse(handler, options) {
    handler[STREAMING] = "response";
    if (options?.highWaterMark !== undefined) handler[Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark")] = options.highWaterMark;
    return handler;
  },
  HttpResponseStream,
};

// -------------------------------------------------------------------------------------------------------- invocations

const running = new Set();

/** One attempt at an event, from its arrival until its answer is sent. */
class Invocation {
  constructor(event) {
    this.event = event;
    this.abortion = new AbortController();
    /** Its time is over. */
    this.isLate = false;
    /** Its time is over, and the host has been told so. */
    this.isOverdue = false;
    this.result = new Promise((resolve, reject) => Object.assign(this, { succeed: resolve, fail: reject }));
    this.result.catch(() => {});
  }

  context() {
    const { event } = this;
    const finish = (error, result) => (error ? this.fail(error) : this.#called(result, context));
    const context = {
      callbackWaitsForEmptyEventLoop: true,
      functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
      functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
      memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
      clientContext: event.clientContext,
      identity: event.identity,
      invokedFunctionArn: event.arn,
      awsRequestId: event.id,
      tenantId: event.tenant,
      signal: this.abortion.signal,
      getRemainingTimeInMillis: () => Math.max(0, event.deadline - Date.now()),
      done: finish,
      fail: (error) => finish(error ?? new Error("handled")),
      succeed: (result) => finish(null, result),
    };
    this.callback = finish;
    return context;
  }

  /** A callback's result waits until nothing is left to do, unless the handler says otherwise. */
  #called(result, context) {
    if (!context.callbackWaitsForEmptyEventLoop) return this.succeed(result);
    this.waitingResult = { result };
  }

  /** Nothing is left to do in this process. */
  loopIsEmpty() {
    // Its time is over: the host says so, and this process stays until then.
    if (this.isLate) return void setTimeout(() => {}, 60_000);
    this.succeed(this.waitingResult?.result);
  }
}

process.on("beforeExit", () => {
  for (const invocation of running) invocation.loopIsEmpty();
});

function current() {
  const stored = invocations.getStore();
  return stored && running.has(stored) ? stored : [...running].at(-1);
}

function onUncaught(title, error, code) {
  logError(title, error);
  const invocation = current();
  if (invocation) return invocation.fail(error);
  if (isServing) return;
  initializationFailed(error).finally(() => process.exit(code));
}

process.on("uncaughtException", (error) => onUncaught("Uncaught Exception", error, 129));
process.on("unhandledRejection", (reason) => {
  const error = new RuntimeError("UnhandledPromiseRejection", errorText(reason));
  if (reason?.stack) error.stack = reason.stack;
  onUncaught("Unhandled Promise Rejection", Object.assign(error, { reason: errorDocument(reason) }), 128);
});

const errorText = (reason) => (util.types.isNativeError(reason) ? `${reason.name}: ${reason.message}` : errorDocument(reason).errorMessage);

async function runHandler(handler, invocation, stream) {
  const context = invocation.context();
  const event = JSON.parse(invocation.event.body.toString());
  if (stream) {
    const returned = handler(event, stream, context);
    if (typeof returned?.then !== "function") throw new RuntimeError("StreamingHandlerNotPromise", "A handler that streams must be async, or return a promise.");
    await returned;
    // Who pipes into it may still be at it.
    if (!stream.hasBegun && !stream.writableEnded && stream.writableLength === 0 && stream.listenerCount("unpipe") === 0) stream.end();
    return stream.sent;
  }
  const returned = handler(event, context, invocation.callback);
  if (typeof returned?.then === "function") return returned;
  // It may answer by having nothing left to do.
  invocation.timer.unref();
  return invocation.result;
}

async function sendError(event, error) {
  logError("Invoke Error", error);
  return ask("POST", invocationPath(event.id, "error"), JSON.stringify(errorDocument(error)), { ...errorHeaders(error), ...attemptHeader(event) });
}

/** Runs the handler and sends its answer, unless its time was over before. */
async function complete(handler, invocation) {
  const { event } = invocation;
  const stream = handler[STREAMING] === "response" ? new ResponseStream(event) : undefined;
  invocation.stream = stream;
  try {
    const result = await Promise.race([runHandler(handler, invocation, stream), invocation.result]);
    if (invocation.isOverdue && !stream?.hasBegun) return;
    if (stream) return;
    const text = JSON.stringify(result === undefined ? null : result);
    if (text === undefined) throw new Error("Unable to stringify response body");
    await ask("POST", invocationPath(event.id, "response"), text, { "Content-Type": "application/json", ...attemptHeader(event) });
  } catch (error) {
    if (invocation.isLate) {
      // Its caller is told of the timeout, by the host or by us, and not of what a handler makes of its abort.
      logError("The handler gave up at its timeout.", error);
      return invocation.isOverdue && !stream?.hasBegun ? undefined : new Promise(() => setInterval(() => {}, 60_000));
    }
    if (!stream?.hasBegun) return sendError(event, error);
    if (stream.destroyed || stream.writableEnded) return void (await stream.sent);
    logError("Invoke Error", error);
    stream.fail(error);
    await stream.sent;
  }
}

/** Serves one event; returns when the next can be asked for, which is at the deadline if instances go on after it. */
async function serve(handler, goesOn) {
  const event = await nextEvent();
  if (event.trace) process.env._X_AMZN_TRACE_ID = event.trace;
  else delete process.env._X_AMZN_TRACE_ID;
  const invocation = new Invocation(event);
  running.add(invocation);
  const left = Math.max(0, event.deadline - Date.now());
  // A little before the host's deadline, so that the handler has a moment, and the answer is there before the host acts.
  const overdue = new Promise((resolve) => {
    invocation.timer = setTimeout(() => {
      invocation.isLate = true;
      invocation.isOverdue = goesOn && !invocation.stream?.hasBegun;
      invocation.abortion.abort(new DOMException("The function's time is over.", "TimeoutError"));
      if (goesOn) resolve(true);
    }, Math.min(left - Math.min(10, left / 10), 0x7fffffff));
  });
  const completed = invocations.run(invocation, () => complete(handler, invocation)).finally(() => {
    clearTimeout(invocation.timer);
    running.delete(invocation);
  });
  const isOverdue = await Promise.race([completed.then(() => false), overdue]);
  if (!isOverdue) {
    if (isStopping && running.size === 0) process.exit(0);
    return;
  }
  if (invocation.isOverdue) {
    const error = new RuntimeError("HandlerTimeout", `${event.id} The handler exceeded its time limit and was told to give up.`);
    await ask("POST", invocationPath(event.id, "error"), JSON.stringify({ ...errorDocument(error), errorType: "Function.HandlerTimeout", trace: [] }), {
      "Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": "Function.HandlerTimeout", ...attemptHeader(event),
    });
  } else {
    await completed;
    return;
  }
  completed.then(() => ask("PUT", `/kelvin/v1/overlap-ended/${event.id}`, "", attemptHeader(event))).catch(exit);
}

// --------------------------------------------------------------------------------------------------------------- main

let isServing = false;
let isStopping = false;

function abortAll(reason) {
  for (const invocation of running) invocation.abortion.abort(new DOMException(reason, "AbortError"));
}

function exit(error) {
  process.stderr.write(`kelvin-node: ${error.message}\n`);
  process.exit(1);
}

async function initializationFailed(error) {
  await ask("POST", "/2018-06-01/runtime/init/error", JSON.stringify(errorDocument(error)), errorHeaders(error)).catch(() => {});
}

async function main() {
  const options = process.argv.slice(2, -1);
  const text = process.argv.at(-1);
  const option = (name) => options.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
  const goesOn = option("on-timeout") === "continue";
  // What a module sees of the command is what it would see if it were the program.
  process.argv.splice(1, process.argv.length - 1, text);
  patchConsole();
  process.on("SIGTERM", () => {
    isStopping = true;
    abortAll("The instance is ending.");
    if (running.size === 0) process.exit(0);
  });
  const abortSignal = option("abort-signal");
  if (abortSignal && abortSignal !== "SIGTERM") process.on(abortSignal, () => abortAll("The function's time is over."));
  let handler;
  let exported;
  let names;
  try {
    const split = splitHandler(text);
    names = split.names;
    exported = await load(split.module);
    handler = handlerOf(exported, names, text);
    await tellConfig(exported);
    await warmUp(exported);
    // A warm-up may have put another in its place.
    handler = handlerOf(exported, names, text);
  } catch (error) {
    logError("Uncaught Exception", error);
    await initializationFailed(error);
    process.exit(1);
  }
  isServing = true;
  for (;;) await serve(handler, goesOn);
}

main().catch(exit);
