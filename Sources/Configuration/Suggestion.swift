/// Finds the word that somebody probably meant.
package enum Suggestion {
  /// Words of AWS, Docker and other tools for keys of ours.
  private static let synonyms: [String: String] = [
    "address": "listen", "bind": "listen", "port": "listen", "data": "dataDirectory", "datadir": "dataDirectory",
    "windowlength": "window", "resolution": "window", "concurrency": "accountConcurrency",
    "accountlimit": "accountConcurrency", "unreserved": "unreservedMinimum", "cmd": "command", "entrypoint": "command",
    "handler": "command", "cwd": "directory", "dir": "directory", "workingdirectory": "directory", "path": "directory",
    "env": "environment", "variables": "environment", "memorysize": "memory", "memorylimit": "memory",
    "ephemeralstorage": "temporaryStorage", "tmp": "temporaryStorage", "tmpsize": "temporaryStorage",
    "reservedconcurrency": "reserved", "reservedconcurrentexecutions": "reserved", "reserve": "reserved",
    "provisionedconcurrency": "provisioned", "provisionedconcurrentexecutions": "provisioned",
    "ontimeoutpolicy": "onTimeout", "connections": "databaseConnections", "function": "functions",
    "lambda": "functions", "lambdas": "functions", "alert": "alerts", "rules": "alerts", "thresholds": "alerts",
    "slo": "errorObjective", "objective": "errorObjective", "jobname": "job", "runbookurl": "runbooks",
    "queue": "queues", "lambdafunction": "function", "batchsize": "batch", "maxreceivecount": "maximumReceives",
    "maxreceives": "maximumReceives", "retries": "maximumReceives", "redrive": "deadLetterQueue",
    "dlq": "deadLetterQueue", "deadletter": "deadLetterQueue", "messageretentionperiod": "retention",
    "delayseconds": "delay", "visibility": "visibilityTimeout", "backoff": "retryDelay",
    "maxconcurrency": "maximumConcurrency", "functionresponsetypes": "reportBatchItemFailures",
    "maxconnections": "databaseConnectionsLimit", "cron": "expression", "rate": "expression", "schedule": "expression",
    "scheduleexpression": "expression", "tz": "timezone", "zone": "timezone", "scheduleexpressiontimezone": "timezone",
    "payload": "input", "event": "input", "concurrencypolicy": "overlap", "ws": "websockets", "sockets": "websockets",
    "crons": "schedules", "timers": "schedules", "routeselectionexpression": "key", "origins": "allowOrigins",
  ]

  /// The one of `known` that `word` is a synonym of, or differs from by case, separators or at most two edits.
  package static func closest(to word: String, in known: [String]) -> String? {
    let folded = fold(word)
    if let exact = known.first(where: { fold($0) == folded }) { return exact }
    if let synonym = synonyms[folded], known.contains(synonym) { return synonym }
    guard folded.count <= 40 else { return nil }
    let limit = folded.count <= 3 ? 1 : 2
    let candidates = known.map { (distance: distance(Array(fold($0).utf8), Array(folded.utf8)), word: $0) }
    return candidates.filter { $0.distance <= limit }.min { $0.distance < $1.distance }?.word
  }

  private static func fold(_ word: String) -> String {
    word.lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " }
  }

  /// The Levenshtein distance; O(product of the lengths).
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var previous = Array(0...right.count)
    for (row, leftByte) in left.enumerated() {
      var current = [row + 1]
      for (column, rightByte) in right.enumerated() {
        let substitution = previous[column] + (leftByte == rightByte ? 0 : 1)
        current.append(min(substitution, previous[column + 1] + 1, current[column] + 1))
      }
      previous = current
    }
    return previous[right.count]
  }
}
