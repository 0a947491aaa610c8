// A runtime for Node without packages: asks for events, calls the handler, sends its answer. One invocation at a time.
//
//   node bootstrap.js index.handler
"use strict";

const http = require("node:http");
const path = require("node:path");

const [host, port] = (process.env.AWS_LAMBDA_RUNTIME_API ?? "").split(":");
// One connection is kept open: there is never more than one request.
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, route, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.from(body ?? "");
    const request = http.request(
      {
        host, port, agent, method, path: `/2018-06-01/runtime/${route}`,
        headers: { ...headers, "Content-Length": bytes.length },
      },
      (reply) => {
        const pieces = [];
        reply.on("data", (piece) => pieces.push(piece));
        reply.on("end", () => {
          const answer = { status: reply.statusCode, headers: reply.headers, body: Buffer.concat(pieces).toString() };
          // 500: the host is broken. 403 to next: the instance cannot get events any more. Either way, end.
          if (answer.status >= 500 || (method === "GET" && answer.status !== 200)) {
            reject(new Error(`The host answered ${answer.status} to ${route}.`));
          } else {
            resolve(answer);
          }
        });
        reply.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(bytes);
  });
}

function describe(error) {
  const isError = error instanceof Error;
  const type = isError ? error.name : "Error";
  return {
    document: JSON.stringify({
      errorMessage: isError ? error.message : String(error),
      errorType: type,
      stackTrace: isError && error.stack ? error.stack.split("\n").slice(1).map((line) => line.trim()) : [],
    }),
    headers: {
      "Content-Type": "application/json",
      "Lambda-Runtime-Function-Error-Type": /^[A-Z][a-zA-Z]+$/.test(type) ? `Function.${type}` : "Function.Unknown",
    },
  };
}

async function load(name) {
  const dot = name.lastIndexOf(".");
  const exported = require(path.resolve(name.slice(0, dot)))[name.slice(dot + 1)];
  if (typeof exported !== "function") throw new TypeError(`${name} is not a function`);
  return exported;
}

async function serve(handler) {
  const next = await call("GET", "invocation/next");
  const id = next.headers["lambda-runtime-aws-request-id"];
  const deadline = Number(next.headers["lambda-runtime-deadline-ms"]);
  const context = {
    awsRequestId: id,
    invokedFunctionArn: next.headers["lambda-runtime-invoked-function-arn"],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  let result;
  try {
    result = JSON.stringify((await handler(JSON.parse(next.body), context)) ?? null);
  } catch (error) {
    const { document, headers } = describe(error);
    await call("POST", `invocation/${id}/error`, document, headers);
    return;
  }
  await call("POST", `invocation/${id}/response`, result, { "Content-Type": "application/json" });
}

async function main() {
  let handler;
  try {
    handler = await load(process.argv[2] ?? process.env._HANDLER ?? "index.handler");
  } catch (error) {
    const { document, headers } = describe(error);
    await call("POST", "init/error", document, headers);
    throw error;
  }
  for (;;) await serve(handler);
}

process.on("SIGTERM", () => process.exit(0));
main().catch((error) => {
  console.error(`bootstrap: ${error.message}`);
  process.exit(1);
});
