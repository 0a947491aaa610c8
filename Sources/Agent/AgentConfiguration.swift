package import Access
internal import EventPipeline
package import Lifecycle
package import TLSListener
internal import Windows

/// Where an agent listens, where it stores its data, and its limits.
package struct AgentConfiguration: Sendable {
  /// The address to listen on; others than those of this machine's loopback are only taken with credentials or certificates of clients.
  package var host = "127.0.0.1"
  /// 0 lets the system choose.
  package var port = 27315
  /// A socket in the file system that answers the same paths, for processes of this user; `nil`: none.
  package var socketPath: String?
  /// The directory of the store; it is made if it is not there.
  package var dataDirectory: String
  /// The length of a window: 1 s to 1 h.
  package var window = Nanoseconds.seconds(60)
  /// Whether a function host starts in the same process: ready then means that it was described, too.
  package var waitsForHost = false
  /// The version that `/api/v1/status` and `kelvin_build_info` show.
  package var version = "dev"
  /// How long changes gather before they are saved; the journal has them meanwhile.
  package var checkpointInterval = Nanoseconds.milliseconds(1_500)
  /// How many events may wait to be folded; further ones are dropped and counted.
  package var inboxLimit = 1_000_000
  /// How many windows an answer may hold.
  package var rowsLimit = 20_000
  /// Where the page finds the library that draws its charts, `dygraph.min.js`; that of Debian's libjs-dygraphs. Without it the
  /// page has tables.
  package var chartsDirectory = "/usr/share/javascript/dygraphs"
  /// How many readers may follow `/api/v1/live` at once.
  package var liveStreamsLimit = 64
  /// Names and addresses beside those of loopback by which readers may ask for the agent, without a port.
  package var allowedHosts: [String] = []
  /// Who may ask for what; `nil`: whoever reaches the address.
  package var access: AccessControl?
  /// Whether whoever connects has shown a certificate of a known authority by then.
  package var knowsClients = false
  /// Certificates and rules for a new connection, called for each; `nil`: no TLS is spoken.
  package var tls: (@Sendable () -> TLSContext)?
  /// How many requests of one sender are taken in a second; at least 1. A sender is a token, a user, or else an address.
  package var requestsPerSecond = 1_000
  /// How often those readers get what changed.
  package var liveInterval = Nanoseconds.milliseconds(500)

  /// Makes the configuration of an agent that has no host, on the default port.
  package init(dataDirectory: String) { self.dataDirectory = dataDirectory }

  var aggregator: AggregatorConfiguration { AggregatorConfiguration(window: window) }

  var pipeline: PipelineConfiguration {
    var pipeline = PipelineConfiguration(aggregator: aggregator)
    pipeline.eventsLimit = inboxLimit
    pipeline.checkpointInterval = checkpointInterval
    return pipeline
  }
}
