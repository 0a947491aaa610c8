// A thumbnail that is never drawn: it takes its time, as drawing would, and says so.
"use strict";

exports.handler = async (event, context) => {
  if (event.fail) throw new RangeError(`no picture is ${event.fail} pixels wide`);
  const milliseconds = Math.min(Number(event.ms ?? 25), 900_000);
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return {
    picture: event.picture ?? "apple.jpg",
    width: event.width ?? 128,
    requestId: context.awsRequestId,
    remainingMilliseconds: context.getRemainingTimeInMillis(),
  };
};
