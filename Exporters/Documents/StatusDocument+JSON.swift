public import Text
import Lifecycle

extension StatusDocument {
  /// The document as JSON.
  ///
  /// - Complexity: O(functions).
  public func json() -> [UInt8] {
    var writer = JSONWriter.document(capacity: 1_024 + 512 * functions.count)
    writer.beginObject()
    writeHead(to: &writer)
    writer.key("account")
    writer.beginObject()
    writer.member("concurrentExecutions", account.concurrentExecutions)
    writer.member("concurrencyLimit", orNull: account.concurrencyLimit)
    writer.endObject()
    writer.key("functions")
    writer.beginArray()
    for function in functions { function.write(to: &writer) }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  /// The members of the agent itself: all before `account`.
  func writeHead(to writer: inout JSONWriter) {
    writer.member("version", version)
    writer.member("started", RFC3339.text(started))
    writer.member("time", RFC3339.text(time))
    writer.member("uptimeSeconds", nanoseconds: Int128(uptime.count))
    writer.key("agent")
    writer.beginObject()
    writer.member("listen", agent.listen)
    writer.member("windowSeconds", nanoseconds: Int128(agent.window.count))
    writer.member("functionsLimit", agent.functionsLimit)
    writer.endObject()
    if let store { store.write(to: &writer) }
    if let host {
      writer.key("host")
      writer.beginObject()
      writer.member("listen", host.listen)
      writer.member("functions", host.functions)
      host.isolation?.write(to: &writer)
      writer.endObject()
    }
    if !sources.isEmpty {
      writer.key("sources")
      writer.array { for source in sources { source.write(to: &$0) } }
    }
    guard !eventSources.isEmpty else { return }
    writer.key("eventSources")
    writer.array { for source in eventSources { source.write(to: &$0) } }
  }

  /// Reads what ``json()`` writes. Members that this version does not know are ignored.
  ///
  /// - Throws: `JSONError` if it is not such a document.
  public init(json: [UInt8]) throws(JSONError) {
    self = try JSONReader.document(json) { (reader: inout JSONReader) throws(JSONError) in
      try StatusDocument(from: &reader)
    }
  }

  private init(from reader: inout JSONReader) throws(JSONError) {
    let epoch = Timestamp(nanoseconds: 0)
    var document = StatusDocument(
      version: "", started: epoch, time: epoch, agent: AgentDocument(listen: "", window: .zero, functionsLimit: 0),
      store: nil, host: nil, account: AccountDocument(concurrentExecutions: 0, concurrencyLimit: nil), functions: [])
    var hasFunctions = false
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "version": document.version = try reader.string()
      case "started": document.started = try reader.time()
      case "time": document.time = try reader.time()
      case "agent": document.agent = try AgentDocument(from: &reader)
      case "store": document.store = try reader.takeNull() ? nil : try StoreDocument(from: &reader)
      case "host": document.host = try reader.takeNull() ? nil : try HostDocument(from: &reader)
      case "sources":
        var sources: [SourceDocument] = []
        try reader.array { (reader: inout JSONReader) throws(JSONError) in
          sources.append(try SourceDocument(from: &reader))
        }
        document.sources = sources
      case "eventSources":
        var sources: [EventSourceDocument] = []
        try reader.array { (reader: inout JSONReader) throws(JSONError) in
          if let source = try EventSourceDocument.read(from: &reader) { sources.append(source) }
        }
        document.eventSources = sources
      case "account": document.account = try AccountDocument(from: &reader)
      case "functions":
        hasFunctions = true
        var functions: [FunctionDocument] = []
        try reader.array { (reader: inout JSONReader) throws(JSONError) in
          functions.append(try FunctionDocument(from: &reader))
        }
        document.functions = functions
      default: try reader.skip()
      }
    }
    guard hasFunctions else { throw JSONError(.missing, "functions is missing", position: 0) }
    self = document
  }
}

extension StatusDocument.AgentDocument {
  fileprivate init(from reader: inout JSONReader) throws(JSONError) {
    var document = StatusDocument.AgentDocument(listen: "", window: .zero, functionsLimit: 0)
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "listen": document.listen = try reader.string()
      case "windowSeconds": document.window = try reader.duration()
      case "functionsLimit": document.functionsLimit = try reader.signed()
      default: try reader.skip()
      }
    }
    self = document
  }
}

extension StatusDocument.StoreDocument {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.key("store")
    writer.beginObject()
    writer.member("path", path)
    writer.member("state", state)
    if let problem { writer.member("problem", problem) }
    if let lastCheckpoint { writer.member("lastCheckpoint", RFC3339.text(lastCheckpoint)) }
    if let sizeBytes { writer.member("sizeBytes", sizeBytes) }
    if let journalBytes { writer.member("journalBytes", journalBytes) }
    writer.endObject()
  }

  fileprivate init(from reader: inout JSONReader) throws(JSONError) {
    var document = StatusDocument.StoreDocument(path: "", state: "")
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "path": document.path = try reader.string()
      case "state": document.state = try reader.string()
      case "problem": document.problem = try reader.stringOrNull()
      case "lastCheckpoint": document.lastCheckpoint = try reader.takeNull() ? nil : try reader.time()
      case "sizeBytes": document.sizeBytes = try reader.signedOrNull()
      case "journalBytes": document.journalBytes = try reader.signedOrNull()
      default: try reader.skip()
      }
    }
    self = document
  }
}

extension StatusDocument.HostDocument {
  fileprivate init(from reader: inout JSONReader) throws(JSONError) {
    var document = StatusDocument.HostDocument(listen: "", functions: 0)
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "listen": document.listen = try reader.string()
      case "functions": document.functions = try reader.signed()
      case "isolation":
        document.isolation = try reader.takeNull() ? nil : try StatusDocument.IsolationDocument(from: &reader)
      default: try reader.skip()
      }
    }
    self = document
  }
}

extension StatusDocument.IsolationDocument {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.key("isolation")
    writer.beginObject()
    writer.member("summary", summary)
    writer.member("memory", memory)
    writer.member("temporaryStorage", temporaryStorage)
    writer.member("processes", processes)
    writer.key("shortcomings")
    writer.beginArray()
    for shortcoming in shortcomings { writer.string(shortcoming) }
    writer.endArray()
    writer.endObject()
  }

  fileprivate init(from reader: inout JSONReader) throws(JSONError) {
    var document = StatusDocument.IsolationDocument(
      summary: "", memory: "", temporaryStorage: "", processes: "", shortcomings: [])
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "summary": document.summary = try reader.string()
      case "memory": document.memory = try reader.string()
      case "temporaryStorage": document.temporaryStorage = try reader.string()
      case "processes": document.processes = try reader.string()
      case "shortcomings":
        try reader.array { (reader: inout JSONReader) throws(JSONError) in
          document.shortcomings.append(try reader.string())
        }
      default: try reader.skip()
      }
    }
    self = document
  }
}

extension StatusDocument.AccountDocument {
  fileprivate init(from reader: inout JSONReader) throws(JSONError) {
    var document = StatusDocument.AccountDocument(concurrentExecutions: 0, concurrencyLimit: nil)
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "concurrentExecutions": document.concurrentExecutions = try reader.signed()
      case "concurrencyLimit": document.concurrencyLimit = try reader.signedOrNull()
      default: try reader.skip()
      }
    }
    self = document
  }
}
