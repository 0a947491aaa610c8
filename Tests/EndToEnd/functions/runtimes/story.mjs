// An ES module: its warm-up fills what its handler sees.
import { setTimeout as sleep } from "node:timers/promises";
import process from "node:process";

export const config = { memory: "0.25GB", timeout: "2s", reserved: 7 };
export let opened;
let hung;

export async function warmup() {
  await sleep(20);
  opened = `warm ${process.pid}`;
}

export async function handler(sent, context) {
  const event = sent.requestContext ? JSON.parse(sent.body ?? "{}") : sent;
  switch (event.do) {
    case "error": throw Object.assign(new RangeError("out of range"), { code: "E_RANGE" });
    case "text": throw "a text";
    case "exit": process.exit(3);
    case "reject": Promise.reject(new TypeError("nobody waits")); return sleep(500);
    case "hang":
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      hung = context.signal.reason.name;
      await sleep(event.after ?? 0);
      return { late: true };
    case "hung": return { hung, aborted: context.signal.aborted };
    case "context": {
      const { signal, done, fail, succeed, getRemainingTimeInMillis, ...rest } = context;
      return { ...rest, left: getRemainingTimeInMillis(), trace: process.env._X_AMZN_TRACE_ID, argv: process.argv.length };
    }
    case "nothing": return undefined;
    case "never": return new Promise(() => {});
    case "log": console.log("%s and", "one", { two: 2 }); console.error("a\nb"); return null;
    default: return { opened, aborted: context.signal.aborted };
  }
}
