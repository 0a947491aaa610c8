package import BlockingHTTP
package import Lifecycle

/// Where a reporter sends, how it gathers events, and its limits.
package struct ReporterConfiguration: Sendable {
  /// Sends a request and waits for the answer; used by one thread alone.
  package typealias Exchange = (ClientRequest, Duration) throws(HTTPClientError) -> HTTPReply

  /// The address of the agent, for messages.
  package var agent: String
  /// Makes what sends; called once, on the thread that sends.
  package var connect: @Sendable () -> Exchange
  /// Sent with every batch: credentials, where the agent asks for them.
  package var headers: HTTPHeaders = [:]
  /// How many events may wait or be on their way; what comes then is dropped and counted. At least ``batchEventsMax``.
  package var eventsLimit = 200_000
  /// How many events one batch has at most: 1 to 10,000.
  package var batchEventsMax = 2_000
  /// How long the first event of a batch waits for others.
  package var batchAge = Nanoseconds.milliseconds(200)
  /// The pause before a batch is sent again for the first time; each further one is twice as long, and every one shortened by up to a half at random.
  package var retryPause = Nanoseconds.milliseconds(100)
  /// The longest such pause.
  package var retryPauseMax = Nanoseconds.seconds(10)
  /// How long the agent may take to answer a batch; with a file at most 5 s.
  package var answerTimeout = Nanoseconds.seconds(30)
  /// Compresses a batch as gzip; `nil`, also from it: the batch is sent as it is.
  package var compress: (@Sendable ([UInt8]) -> [UInt8]?)?

  /// Names a file for batches that memory has no room for, and for those that are left at the end; `nil`: they are dropped. A later process
  /// with the same file sends them.
  package var spillPath: String?
  /// How large that file may become.
  package var spillBytesMax = 1 << 30

  /// Makes the configuration of a reporter that sends plain batches to an agent.
  ///
  /// - Parameter limits: Of what it answers, and how long it may take to connect.
  package init(endpoint: HTTPEndpoint, limits: HTTPLimits = HTTPLimits()) {
    self.init(agent: "http://\(endpoint)") {
      let connection = HTTPConnection(endpoint, limits: limits)
      return { (request, timeout) throws(HTTPClientError) in try connection.send(request, timeout: timeout) }
    }
  }

  /// Makes the configuration of a reporter that has other ways to send.
  package init(agent: String, connect: @escaping @Sendable () -> Exchange) {
    self.agent = agent
    self.connect = connect
  }
}
