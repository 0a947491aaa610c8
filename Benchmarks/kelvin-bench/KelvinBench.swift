import Glibc

/// Runs the benchmarks and prints what they measured beside what is wanted.
///
/// Exits with 1 if a target is missed. Arguments name the benchmarks to run, by the beginning of their names; without any, all are run.
@main
enum KelvinBench {
  /// Every benchmark, one file each.
  static let all: [Benchmark] = [
    .aggregator, .timeline, .textExposition, .openMetricsExposition, .protobufExposition, .windowsDocument, .json,
    .eventBatches, .logs,
  ]

  static func main() {
    let wanted = CommandLine.arguments.dropFirst()
    let chosen = all.filter { benchmark in wanted.isEmpty || wanted.contains { benchmark.name.hasPrefix($0) } }
    guard !chosen.isEmpty else {
      print("no such benchmark; there are: \(all.map(\.name).joined(separator: ", "))")
      exit(64)
    }
    var figures: [Figure] = []
    for benchmark in chosen {
      figures += benchmark.run().map { figure in
        var named = figure
        named.name = "\(benchmark.name): \(figure.name)"
        return named
      }
    }
    print(Report.text(figures), terminator: "")
    if figures.contains(where: { $0.isMet == false }) { exit(1) }
  }
}
