internal import BlockingHTTP
@unsafe @preconcurrency import Glibc

/// The process of a function: its environment, its output, its end.
enum RuntimeProcess {
  static func prepare() {
    // Behind a pipe the C library would hold back lines until a block is full; a log wants them now.
    unsafe setvbuf(stdout, nil, _IOLBF, 0)
    // As process 1 of a namespace a process is not ended by a signal unless it says how.
    signal(SIGTERM) { _ in _exit(0) }
  }

  static func run<F: Function>(_ type: F.Type) -> Int32 {
    guard let address = variable("AWS_LAMBDA_RUNTIME_API") else {
      log("AWS_LAMBDA_RUNTIME_API is not set: start this function with \"kelvin host\" or as a Lambda function.")
      return 1
    }
    do throws(HTTPClientError) {
      let endpoint = try HTTPEndpoint(address)
      let environment = FunctionEnvironment(variable)
      let reports = LifeReports(environment, variable, log: log)
      reports?.endOnTermination()
      let loop = FunctionLoop<F>(
        endpoint: endpoint, environment: environment, configuration: F.configuration, log: log, reports: reports)
      return loop.run(make: { try await F() })
    } catch {
      log("AWS_LAMBDA_RUNTIME_API: \(error)")
      return 1
    }
  }

  /// Writes one line to standard error.
  @Sendable static func log(_ sentence: String) {
    let line = Array("kelvin runtime: \(sentence)\n".utf8)
    // A log that nobody reads is no reason to fail.
    _ = unsafe write(STDERR_FILENO, line, line.count)
  }

  static func end(_ status: Int32) -> Never { exit(status) }

  private static func variable(_ name: String) -> String? {
    // SAFETY: the text is copied before anybody could change the environment.
    guard let text = unsafe getenv(name) else { return nil }
    return unsafe String(cString: text)
  }
}
