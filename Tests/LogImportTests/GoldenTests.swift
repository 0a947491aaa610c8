import Documents
import LogImport
import Testing

@Suite struct `The golden corpus` {
  static let counts = LifeCounts.of {
    $0.invocations = 10
    $0.errors = 6
    $0.timeouts = 2
    $0.crashes = 1
    $0.outOfMemory = 2
    $0.coldStarts = 3
    $0.initializations = 4
    $0.initializationFailures = 2
  }
  /// What all exact containers have to give.
  static let windows = Imported(GoldenCorpus.containers[0].write(GoldenCorpus.events)).document.windows

  private func check(_ imported: Imported, _ container: GoldenCorpus.Container, _ comment: Comment) {
    #expect(imported.counts == Self.counts, comment)
    #expect(imported.document.contradictory == 0, comment)
    guard container.isExact else { return }
    #expect(imported.document.concurrencyMax == 3, comment)
    // Compared before it is expected: the documents are long.
    let isEqual = imported.document.windows == Self.windows
    #expect(isEqual, comment)
  }

  @Test(arguments: GoldenCorpus.containers)
  func `gives the same numbers in every container`(_ container: GoldenCorpus.Container) {
    let imported = Imported(container.write(GoldenCorpus.events), function: "orders")
    check(imported, container, "at once")
    #expect(imported.document.functions.map(\.name) == ["orders"])
    #expect(imported.reports.allSatisfy { $0.problem == nil && !$0.recognised.isEmpty })
  }

  @Test(arguments: GoldenCorpus.containers)
  func `gives the same numbers in pieces of any size`(_ container: GoldenCorpus.Container) {
    for piece in [1, 7, 333] {
      check(
        Imported(container.write(GoldenCorpus.events), function: "orders", piece: piece), container,
        "\(piece) bytes at once")
    }
  }

  @Test(arguments: GoldenCorpus.containers)
  func `gives the same numbers if every event comes twice`(_ container: GoldenCorpus.Container) {
    let files = container.write(GoldenCorpus.events)
    check(Imported(files + files, function: "orders"), container, "twice")
  }

  @Test(arguments: GoldenCorpus.containers.filter(\.isText))
  func `gives the same numbers with carriage returns and a byte order mark`(_ container: GoldenCorpus.Container) {
    let files = container.write(GoldenCorpus.events).map { file in
      LogFile([0xEF, 0xBB, 0xBF] + file.bytes.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] })
    }
    check(Imported(files, function: "orders"), container, "CRLF")
  }

  @Test(arguments: GoldenCorpus.containers)
  func `loses only the last event where the file was cut`(_ container: GoldenCorpus.Container) {
    let files = container.write(GoldenCorpus.events)
    guard files.count == 1, !container.testDescription.contains("Firehose"),
      !container.testDescription.contains("Kinesis")
    else { return }
    let imported = Imported([LogFile(Array(files[0].bytes.dropLast(40)))], function: "orders")
    #expect(imported.counts.invocations >= 9)
    #expect(imported.counts.invocations + imported.counts.unended <= 10)
  }

  @Test func `loses its times, and nothing else, in lines alone`() {
    let imported = Imported(GoldenCorpus.events.map(\.message).joined())
    var counts = Self.counts
    // The line of one timeout has a time of its own.
    counts.untimed = 9
    // Without times in front, a program's second line cannot be told from the platform's.
    counts.invocations += 1
    counts.untimed += 1
    #expect(imported.counts == counts)
    #expect(imported.document.concurrencyMax == 1)
  }
}
