// swift-tools-version: 6.3
import PackageDescription

// The settings of every Swift target: what the compiler can check, it checks, and no warning is let in.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

// Sanitizers come with a library that no static program can have (scripts/test-threads).
let isSanitized = Context.environment["KELVIN_SANITIZED"] != nil

let collections: [Target.Dependency] = [
  .product(name: "DequeModule", package: "swift-collections"),
  .product(name: "HeapModule", package: "swift-collections"),
]
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycleService: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let nio: [Target.Dependency] = [
  .product(name: "NIOCore", package: "swift-nio"),
  .product(name: "NIOPosix", package: "swift-nio"),
  .product(name: "NIOHTTP1", package: "swift-nio"),
]

let package = Package(
  name: "kelvin",
  products: [
    .executable(name: "kelvin", targets: ["kelvin"]),
    .library(name: "FunctionRuntime", targets: ["FunctionRuntime"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
  ],
  targets: [
    // The words, and what follows from them. Pure: no clock, no input or output, no Foundation.
    .target(name: "Lifecycle", swiftSettings: strict),
    // Bytes and text. A reader that borrows its bytes says so with the attribute that the experimental feature gives.
    .target(name: "Text", swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
    .target(name: "Windows", dependencies: ["Lifecycle"], swiftSettings: strict),
    // What AWS's platform says about functions, in records of telemetry and in lines of logs. Pure.
    .target(
      name: "LambdaRecords", dependencies: ["Lifecycle", "Text"],
      swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),

    // Batches of events as protobuf in columns, for senders: also inside of instances, and in Embedded Swift.
    .target(name: "LifecycleEncoding", dependencies: ["Lifecycle"], swiftSettings: strict),
    // Batches of events for who takes them, and lines of JSON both ways.
    .target(
      name: "LifecycleWire", dependencies: ["Lifecycle", "Text", "CLifecycleProto", "CProtobufC"], swiftSettings: strict
    ),
    // The files and envelopes that carry log lines, recognised by their content. Pure.
    .target(
      name: "LogContainers", dependencies: ["Lifecycle", "LifecycleWire", "Text", "LambdaRecords"],
      swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
    // Logs and captures into windows: what `kelvin import` counts.
    .target(
      name: "LogImport",
      dependencies: ["Lifecycle", "Text", "Windows", "LambdaRecords", "LogContainers", "Documents", "CZlib"],
      swiftSettings: strict),

    // What sends events to an agent in another process.
    .target(
      name: "LifecycleReporter", dependencies: ["Lifecycle", "LifecycleEncoding", "BlockingHTTP"], swiftSettings: strict
    ),

    // Exporters: totals and windows into the formats that readers ask for.
    .target(
      name: "Catalogue", dependencies: ["Lifecycle", "Windows"], path: "Exporters/Catalogue", swiftSettings: strict),
    .target(
      name: "Prometheus", dependencies: ["Lifecycle", "Windows", "Catalogue", "CPrometheusProto", "CProtobufC"],
      path: "Exporters/Prometheus",
      // Swift 6.3.1 makes LLVM that its own check refuses of ExemplarMessages, which is not copied, under the Thread Sanitizer.
      swiftSettings: strict + (isSanitized ? [.unsafeFlags(["-Xfrontend", "-disable-llvm-verify"])] : [])),
    .target(
      name: "Documents", dependencies: ["Lifecycle", "Windows", "Text"], path: "Exporters/Documents",
      swiftSettings: strict),
    .target(
      name: "Table", dependencies: ["Lifecycle", "Windows", "Documents", "Text"], path: "Exporters/Table",
      swiftSettings: strict),

    // Dashboards: what shows and watches the numbers elsewhere.
    .target(
      name: "AlertRules", dependencies: ["Lifecycle"], path: "Dashboards/Alerts",
      exclude: ["kelvin.rules.yaml", "tests"], swiftSettings: strict),
    // The page for people: files inside the program.
    .target(
      name: "WebPage", path: "Dashboards/Web",
      resources: [.embedInCode("index.html"), .embedInCode("kelvin.css"), .embedInCode("kelvin.js")],
      swiftSettings: strict),
    // Runtimes for functions in Node and Python: files inside the program.
    .target(
      name: "LanguageRuntimes",
      resources: [.embedInCode("kelvin-node.cjs"), .embedInCode("kelvin_python.py")], swiftSettings: strict),
    // What is drawn on a terminal, keys, and the one place that sets the terminal's modes.
    .target(name: "Terminal", dependencies: ["Table"], swiftSettings: strict),

    // Rooms that touch the outside: the store, sockets, processes.
    .target(
      name: "WindowStore", dependencies: ["Lifecycle", "Windows", .product(name: "GRDB", package: "GRDB.swift")],
      swiftSettings: strict),
    // Messages of queues and asynchronous events on the disk.
    .target(
      name: "QueueStore", dependencies: ["Lifecycle", "WindowStore", .product(name: "GRDB", package: "GRDB.swift")],
      swiftSettings: strict),
    // SQS's API as a server has it, and the events of its mapping. Has no queues and no sockets.
    .target(
      name: "QueueAPI",
      dependencies: [
        "Lifecycle", "Text", "HostRules", "LambdaAPI", "HTTPServer", "Digests",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: strict),
    // Events from their sources into windows and the store. Knows no HTTP and has no clock.
    .target(
      name: "EventPipeline", dependencies: ["Lifecycle", "Windows", "WindowStore", logging], swiftSettings: strict),
    // Keeps events on the disk from before their acknowledgement until a checkpoint contains them.
    .target(
      name: "EventJournal",
      dependencies: ["Lifecycle", "Windows", "WindowStore", "EventPipeline", "CZlib", "CLinux", logging],
      swiftSettings: strict),
    .target(name: "HTTPServer", dependencies: ["Text", "CZlib", logging] + nio, swiftSettings: strict),
    .target(name: "BlockingHTTP", swiftSettings: strict),
    // WebSocket on a connection that began as HTTP.
    .target(
      name: "WebSocketServer",
      dependencies: [
        "Lifecycle", "Text", "Digests", "HTTPServer",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .target(
      name: "Agent",
      dependencies: [
        "Lifecycle", "LifecycleWire", "Text", "Windows", "WindowStore", "EventPipeline", "EventJournal", "Catalogue",
        "Prometheus",
        "Documents", "WebPage", "HTTPServer", "Access", "TLSListener", "LambdaRecords", "LogImport", "CZlib", logging,
        lifecycleService,
      ] + nio,
      swiftSettings: strict),
    // When schedules happen: expressions, time zones, and runs. Pure.
    .target(name: "Schedules", dependencies: ["Lifecycle", "Text"], swiftSettings: strict),
    // What a host decides: machines that are told what happened and answer with what is to be done. Pure.
    .target(name: "HostRules", dependencies: ["Lifecycle"] + collections, swiftSettings: strict),
    // AWS's Lambda API as a server has it: routes, documents, errors, headers. Has no functions and no sockets.
    .target(
      name: "LambdaAPI",
      dependencies: [
        "Lifecycle", "Text", "HostRules", "HTTPServer", .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: strict),
    // The processes of instances, isolated as far as the machine allows. Knows no functions and no HTTP.
    .target(
      name: "Sandboxes",
      dependencies: [
        "Lifecycle", "CLinux",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .target(
      name: "FunctionHost",
      dependencies: [
        "Lifecycle", "Text", "LambdaRecords", "LambdaAPI", "HostRules", "Schedules", "Sandboxes", "HTTPServer",
        "WebSocketServer",
        "CLinux", "Digests", "QueueStore", "QueueAPI", "WindowStore",
        .product(name: "DequeModule", package: "swift-collections"), logging, lifecycleService,
      ] + nio,
      swiftSettings: strict),
    .target(
      name: "FunctionRuntime", dependencies: ["BlockingHTTP", "Lifecycle", "LifecycleReporter", "Text"],
      swiftSettings: strict),
    .target(
      name: "Configuration",
      dependencies: ["Lifecycle", "Text", "AlertRules", "Schedules", .product(name: "Yams", package: "Yams")],
      swiftSettings: strict),
    .target(name: "Digests", dependencies: ["COpenSSL", "CCrypt"], swiftSettings: strict),
    // Who may ask a listener for what: tokens, users, rates.
    .target(name: "Access", dependencies: ["Lifecycle", "Text", "Digests"], swiftSettings: strict),
    // TLS for listeners, over OpenSSL.
    .target(
      name: "TLSListener", dependencies: ["COpenSSL", .product(name: "NIOCore", package: "swift-nio")],
      swiftSettings: strict),
    // Whatever goes out over TLS: credentials, signatures, repetitions, and one transport over libcurl.
    .target(name: "AWSClient", dependencies: ["Lifecycle", "Text", "CTransfer", "Digests"], swiftSettings: strict),
    .target(name: "LambdaControl", dependencies: ["AWSClient", "Lifecycle", "Text"], swiftSettings: strict),

    // The command line, on top of all.
    .executableTarget(
      name: "kelvin",
      dependencies: [
        "Lifecycle", "LifecycleReporter", "LambdaRecords", "LogContainers", "LogImport", "LambdaAPI", "Windows",
        "WindowStore", "EventJournal", "Agent",
        "FunctionHost", "WebSocketServer", "HostRules", "QueueAPI", "Sandboxes", "Schedules",
        "Configuration", "Documents", "Table", "Terminal", "Text", "BlockingHTTP", "AWSClient", "LambdaControl",
        "AlertRules", "CICUData", "Catalogue", "Access", "TLSListener", "Digests", "LanguageRuntimes", logging,
        lifecycleService,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      // What kelvin init writes: files inside the program.
      resources: [
        .embedInCode("Templates/Hello.swift.template"),
        .embedInCode("Templates/Package.swift.template"),
        .embedInCode("Templates/app.py.template"),
        .embedInCode("Templates/index.mjs.template"),
        .embedInCode("Templates/node.yaml.template"),
        .embedInCode("Templates/python.yaml.template"),
        .embedInCode("Templates/swift.yaml.template"),
      ],
      swiftSettings: strict),

    // C: one module each.
    .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
      name: "CProtobufC", path: "Sources/CProtobufC", pkgConfig: "libprotobuf-c",
      providers: [.apt(["libprotobuf-c-dev"])]),
    .target(name: "CPrometheusProto", dependencies: ["CProtobufC"], exclude: ["metrics.proto"]),
    .target(name: "CLifecycleProto", dependencies: ["CProtobufC"], exclude: ["events.proto"]),
    .systemLibrary(
      name: "COpenSSL", path: "Sources/COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CCrypt", path: "Sources/CCrypt", providers: [.apt(["libcrypt-dev"])]),
    // libcurl is opened when it is needed, so nothing links it.
    .target(name: "CTransfer"),
    .target(name: "CLinux"),
    // In place of 34 MB of locales in static builds.
    .target(name: "CICUData"),
    // One for each instance, so it has to start fast: without a dynamic linker.
    .executableTarget(
      name: "kelvin-launcher", path: "Sources/CLauncher",
      cSettings: isSanitized ? [.unsafeFlags(["-fno-sanitize=all"])] : [],
      linkerSettings: isSanitized
        ? [.unsafeFlags(["-Xclang-linker", "-fno-sanitize=all"])] : [.unsafeFlags(["-static-executable"])]),

    // Benchmarks: `make bench` runs them in release mode.
    .target(name: "CAllocationCounter", path: "Benchmarks/CAllocationCounter"),
    .executableTarget(
      name: "kelvin-bench",
      dependencies: [
        "Lifecycle", "LifecycleEncoding", "LifecycleWire", "Windows", "Text", "Catalogue", "Prometheus", "Documents",
        "Table",
        "LogImport", "CAllocationCounter",
      ],
      path: "Benchmarks/kelvin-bench", swiftSettings: strict),
    // The yardstick for what the host's exchanges cost.
    .executableTarget(
      name: "kelvin-bare-http", dependencies: nio, path: "Benchmarks/bare-http", swiftSettings: strict),

    // Tests: one folder per module.
    .target(
      name: "TestSupport", dependencies: ["Lifecycle", "Windows"], path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(
      name: "TextTests", dependencies: ["Text", "TestSupport"], exclude: ["Corpus"], swiftSettings: strict),
    .testTarget(name: "LifecycleTests", dependencies: ["Lifecycle", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "LambdaRecordsTests", dependencies: ["LambdaRecords", "Lifecycle", "Text"], swiftSettings: strict),
    .testTarget(
      name: "LifecycleWireTests",
      dependencies: ["LifecycleWire", "LifecycleEncoding", "Lifecycle", "Text", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "LogImportTests",
      dependencies: [
        "LogImport", "LogContainers", "LambdaRecords", "Documents", "Windows", "Lifecycle", "Text", "CZlib",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "LifecycleReporterTests",
      dependencies: ["LifecycleReporter", "LifecycleWire", "Lifecycle", "BlockingHTTP", "HTTPServer", "TestSupport"]
        + nio,
      swiftSettings: strict),
    .testTarget(name: "WindowsTests", dependencies: ["Windows", "Lifecycle", "TestSupport"], swiftSettings: strict),
    // A disk for SQLite that fails at a chosen operation.
    .target(name: "CFaultyDisk", path: "Tests/CFaultyDisk", linkerSettings: [.linkedLibrary("sqlite3")]),
    .testTarget(
      name: "WindowStoreTests",
      dependencies: [
        "WindowStore", "Windows", "Lifecycle", "TestSupport", "CFaultyDisk",
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: strict),
    // One target for each exporter, and what all of them have to do.
    .target(
      name: "ExporterSupport", dependencies: ["Catalogue", "Prometheus", "Documents", "Windows", "Lifecycle"],
      path: "Tests/ExporterSupport", swiftSettings: strict),
    .testTarget(
      name: "CatalogueTests", dependencies: ["Catalogue", "ExporterSupport", "Windows", "Lifecycle", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "PrometheusTests",
      dependencies: ["Prometheus", "Catalogue", "ExporterSupport", "Windows", "Lifecycle", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "DocumentsTests",
      dependencies: ["Documents", "ExporterSupport", "Text", "Windows", "Lifecycle", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "TableTests",
      dependencies: ["Table", "Documents", "ExporterSupport", "Text", "Windows", "Lifecycle", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "ExportersTests",
      dependencies: [
        "Catalogue", "Prometheus", "Documents", "Table", "Text", "ExporterSupport", "Windows", "Lifecycle",
        "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(name: "DigestsTests", dependencies: ["Digests"], swiftSettings: strict),
    .testTarget(name: "AccessTests", dependencies: ["Access", "Digests", "Lifecycle", "Text"], swiftSettings: strict),
    .testTarget(name: "BlockingHTTPTests", dependencies: ["BlockingHTTP"], swiftSettings: strict),
    .testTarget(
      name: "HTTPServerTests", dependencies: ["HTTPServer", "BlockingHTTP", "Text", "CZlib", logging] + nio,
      swiftSettings: strict),
    .testTarget(
      name: "WebSocketServerTests",
      dependencies: [
        "WebSocketServer", "HTTPServer", "Lifecycle", .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
      ] + nio,
      swiftSettings: strict),
    .testTarget(
      name: "EventPipelineTests",
      dependencies: [
        "EventPipeline", "EventJournal", "LifecycleEncoding", "LifecycleWire", "LambdaRecords", "LogImport", "Windows",
        "WindowStore", "Lifecycle", "TestSupport", logging,
      ],
      swiftSettings: strict),
    .testTarget(
      name: "EventJournalTests",
      dependencies: ["EventJournal", "EventPipeline", "Windows", "WindowStore", "Lifecycle", "TestSupport", logging],
      swiftSettings: strict),
    .testTarget(
      name: "AgentTests",
      dependencies: [
        "Agent", "LifecycleWire", "EventPipeline", "Windows", "WindowStore", "Lifecycle", "LambdaRecords", "LogImport",
        "Text", "Catalogue",
        "Documents", "BlockingHTTP", "HTTPServer", "TestSupport", logging,
      ] + nio,
      swiftSettings: strict),
    .testTarget(
      name: "SchedulesTests", dependencies: ["Schedules", "Lifecycle", "Text"], swiftSettings: strict),
    .testTarget(
      name: "HostRulesTests", dependencies: ["HostRules", "Lifecycle", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "QueueStoreTests", dependencies: ["QueueStore", "WindowStore", "HostRules", "Lifecycle", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "QueueAPITests", dependencies: ["QueueAPI", "HostRules", "HTTPServer", "Lifecycle", "Text"] + nio,
      swiftSettings: strict),
    .testTarget(
      name: "LambdaAPITests", dependencies: ["LambdaAPI", "HostRules", "HTTPServer", "Lifecycle", "Text"] + nio,
      swiftSettings: strict),
    .testTarget(
      name: "SandboxesTests",
      dependencies: [
        "Sandboxes", "Lifecycle", "CLinux", "TestSupport", "kelvin-launcher",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "FunctionHostTests",
      dependencies: [
        "FunctionHost", "LambdaRecords", "LambdaAPI", "HTTPServer", "HostRules", "Sandboxes", "Lifecycle", "Text",
        "TestSupport",
        "kelvin-launcher", logging,
      ] + nio,
      exclude: ["Fixtures"],
      swiftSettings: strict),
    .testTarget(
      name: "FunctionRuntimeTests", dependencies: ["FunctionRuntime", "BlockingHTTP", "Text"], swiftSettings: strict),
    .testTarget(name: "LanguageRuntimesTests", dependencies: ["LanguageRuntimes"], swiftSettings: strict),
    .testTarget(name: "TerminalTests", dependencies: ["Terminal"], swiftSettings: strict),
    .testTarget(
      name: "ConfigurationTests", dependencies: ["Configuration", "Schedules", "AlertRules", "Lifecycle", "Text"],
      swiftSettings: strict),
    .testTarget(name: "AlertRulesTests", dependencies: ["AlertRules", "Lifecycle"], swiftSettings: strict),
    .target(
      name: "AWSClientTestSupport", dependencies: ["AWSClient"], path: "Tests/AWSClientTestSupport",
      swiftSettings: strict),
    .testTarget(
      name: "AWSClientTests",
      dependencies: ["AWSClient", "AWSClientTestSupport", "Lifecycle", "HTTPServer", "Text"] + nio,
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "LambdaControlTests",
      dependencies: ["LambdaControl", "AWSClient", "AWSClientTestSupport", "Lifecycle", "Text"], swiftSettings: strict),
    .testTarget(
      name: "KelvinTests",
      dependencies: [
        "kelvin", "kelvin-launcher", "Agent", "AlertRules", "Configuration", "BlockingHTTP", "HTTPServer", "Documents",
        "Lifecycle", "Terminal", "Text", "Windows", "WindowStore",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ] + nio,
      swiftSettings: strict),
    // Parsers of what comes from outside, their seeds, and what changes them: `make fuzz`.
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Text", "Windows", "Lifecycle", "HTTPServer", "BlockingHTTP", "Agent", "FunctionHost", "LambdaAPI",
        "LambdaRecords", "LifecycleEncoding", "LifecycleWire", "LogContainers", "Configuration", "WindowStore",
        "EventJournal", "Terminal", "WebSocketServer", "Schedules", "TestSupport", "HostRules", "QueueAPI",
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      path: "Tests/Fuzz/Targets", swiftSettings: strict),
    .executableTarget(
      name: "kelvin-fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Driver", swiftSettings: strict),
    .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"], swiftSettings: strict),
    .testTarget(name: "HouseTests", swiftSettings: strict),
  ]
)
