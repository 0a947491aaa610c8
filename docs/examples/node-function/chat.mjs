// Answers what comes over a WebSocket, as API Gateway's events have it.
import { setTimeout as sleep } from "node:timers/promises";

let greeting;

// Over before the first client is let in.
export async function warmup() {
  await sleep(20);
  greeting = "hello";
}

export async function handler(event) {
  if (event.requestContext.eventType !== "MESSAGE") return { statusCode: 200 };
  const { say, ms } = JSON.parse(event.body);
  if (ms) await sleep(ms);
  return { statusCode: 200, body: JSON.stringify({ greeting, heard: say }) };
}
