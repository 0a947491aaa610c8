// A thumbnail that is never drawn: it takes its time, as drawing would, and says so.
import { setTimeout as sleep } from "node:timers/promises";

// What kelvin.yaml does not say. 256MB, and 5 seconds.
export const config = { memory: "256MB", timeout: 5 };

let palette;

// Awaited once in each instance, before its first request.
export async function warmup() {
  await sleep(60);
  palette = ["red", "green", "blue"];
}

export async function handler(event, context) {
  if (event.fail) throw new RangeError(`no picture is ${event.fail} pixels wide`);
  const milliseconds = Math.min(Number(event.ms ?? 25), 900_000);
  // Gives up at the function's timeout: the signal is raised then.
  await sleep(milliseconds, undefined, { signal: context.signal });
  return {
    picture: event.picture ?? "apple.jpg",
    width: event.width ?? 128,
    colors: palette.length,
    requestId: context.awsRequestId,
    remainingMilliseconds: context.getRemainingTimeInMillis(),
  };
}
