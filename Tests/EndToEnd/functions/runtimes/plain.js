// CommonJS: callbacks, legacy members of the context, nested names.
exports.warmup = async () => { exports.db = "open"; };
exports.handler = (event, context, callback) => {
  if (event.fail) return callback(new TypeError("called back"));
  if (event.later) context.callbackWaitsForEmptyEventLoop = false, setInterval(() => {}, 1000);
  if (event.never) return undefined;
  if (event.throw) throw new SyntaxError("at once");
  callback(null, { db: exports.db });
};
exports.deep = { er: { handler: async () => "deep" } };
exports.stream = awslambda.streamifyResponse(async (event, stream, context) => {
  const given = event.requestContext ? JSON.parse(event.body) : event;
  const out = given.prelude ? awslambda.HttpResponseStream.from(stream, given.prelude) : stream;
  if (given.type) out.setContentType(given.type);
  if (given.early) throw new Error("before");
  for (let count = 0; count < (given.pieces ?? 0); count++) {
    if (!out.write(Buffer.alloc(given.size ?? 10, 65 + (count % 26)))) await new Promise((go) => out.once("drain", go));
    if (given.pause) await new Promise((go) => setTimeout(go, given.pause));
  }
  if (given.late) throw new RangeError("after");
  if (given.destroyed) {
    stream.destroy(new RangeError("destroyed"));
    throw new RangeError("destroyed");
  }
  out.end();
});
