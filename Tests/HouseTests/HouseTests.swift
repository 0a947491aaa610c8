import Foundation
import Testing

@Suite struct `The house` {
  @Test func `has exactly the arrows in its manifest that docs/architecture.md lists`() throws {
    let listed = try House.listedArrows()
    let manifest = try House.manifestArrows()
    #expect(manifest.count > 10)
    for (room, arrows) in manifest {
      let allowed = try #require(listed[room], "docs/architecture.md does not list the room \(room)")
      #expect(arrows.subtracting(allowed) == [], "\(room) has arrows that docs/architecture.md does not list")
      #expect(allowed.subtracting(arrows) == [], "docs/architecture.md lists arrows of \(room) that are not there")
    }
    #expect(Set(listed.keys) == Set(manifest.keys))
  }

  @Test func `imports only along the arrows that docs/architecture.md lists`() throws {
    let system: Set<String> = ["Swift", "Glibc", "Synchronization", "Foundation", "FoundationEssentials", "Dispatch"]
    let listed = try House.listedArrows()
    for file in try House.swiftFiles(under: ["Sources", "Exporters", "Dashboards"]) {
      let allowed = try #require(listed[file.room], "docs/architecture.md does not list the room \(file.room)")
      let imports = Set(file.imports).subtracting(system)
      #expect(imports.subtracting(allowed) == [], "\(file.path) imports what its room may not")
    }
  }

  @Test func `keeps Foundation out of the rooms that do without`() throws {
    let rooms = try House.roomsWithoutFoundation()
    #expect(rooms.contains("Lifecycle"))
    for file in try House.swiftFiles(under: ["Sources", "Exporters", "Dashboards"]) where rooms.contains(file.room) {
      #expect(!file.imports.contains { $0.hasPrefix("Foundation") }, "\(file.path) imports Foundation")
    }
  }

  /// Static builds have an empty table in the place of ICU's locales (Sources/CICUData), and what reads them would trap.
  @Test func `asks ICU for nothing of a locale`() throws {
    let names = [
      "DateFormatter", "NumberFormatter", "DateComponentsFormatter", "MeasurementFormatter", "ByteCountFormatter",
      "Locale",
      "Calendar", "TimeZone", "DateInterval", "NSLocale", "NSCalendar", "localizedStandardCompare", "localizedCompare",
      "localizedCaseInsensitiveCompare", "localizedLowercase", "localizedUppercase", "formatted",
    ]
    for file in try House.swiftFiles(under: ["Sources", "Exporters", "Dashboards"])
    where file.imports.contains(where: { $0.hasPrefix("Foundation") }) {
      for line in file.lines {
        let words = Set(line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
        #expect(words.isDisjoint(with: names), "\(file.path) needs what static builds do not have: \(line)")
      }
    }
  }

  @Test func `keeps the system out of the rooms that are pure`() throws {
    let system: Set<String> = ["Glibc", "Synchronization", "Foundation", "FoundationEssentials", "Dispatch"]
    let rooms = try House.pureRooms()
    let withoutFoundation = try House.roomsWithoutFoundation()
    #expect(rooms.contains("HostRules") && rooms.isSubset(of: withoutFoundation))
    for file in try House.swiftFiles(under: ["Sources", "Exporters", "Dashboards"]) where rooms.contains(file.room) {
      #expect(system.isDisjoint(with: file.imports), "\(file.path) imports a module of the system")
    }
  }

  @Test func `has files of at most 600 lines and functions of at most 70`() throws {
    for file in try House.swiftFiles(under: ["Sources", "Exporters", "Dashboards", "Tests"]) {
      #expect(file.lines.count <= 600, "\(file.path) has \(file.lines.count) lines")
      for function in FunctionLength.all(in: file.lines) where function.lines > 70 {
        Issue.record("\(file.path):\(function.firstLine) has a function of \(function.lines) lines")
      }
    }
  }

  @Test func `documents all that other rooms can use`() throws {
    var count = 0
    for file in try House.swiftFiles(under: ["Sources", "Exporters", "Dashboards"]) {
      for declaration in Declaration.all(in: file.lines) {
        count += 1
        #expect(declaration.isDocumented, "\(file.path):\(declaration.line) is not documented")
      }
    }
    #expect(count > 1000)
  }

  @Test func `has types of at most 600 lines with their extensions`() throws {
    var lengths: [String: Int] = [:]
    for file in try House.swiftFiles(under: ["Sources", "Exporters", "Dashboards"]) {
      for type in TypeLength.all(in: file.lines) { lengths["\(file.room).\(type.name)", default: 0] += type.lines }
    }
    #expect(lengths.count > 300)
    for (type, length) in lengths where length > 600 { Issue.record("\(type) has \(length) lines") }
  }

  /// Swift 6.3 takes small functions of one room into the code of another only if they are public (decision 20).
  private static let publicRooms: Set<String> = [
    "BlockingHTTP", "Catalogue", "Documents", "HTTPServer", "Lifecycle", "LifecycleEncoding", "LifecycleWire",
    "Prometheus", "Text",
    "Windows",
  ]

  @Test func `is public only where other packages need it or every event passes`() throws {
    let rooms = Self.publicRooms.union(["FunctionRuntime"])
    for file in try House.swiftFiles(under: ["Sources", "Exporters", "Dashboards"]) where !rooms.contains(file.room) {
      for declaration in Declaration.all(in: file.lines) where declaration.isPublic {
        Issue.record("\(file.path):\(declaration.line) is public; package is enough")
      }
    }
  }

  @Test func `names no two types of different rooms the same`() throws {
    var rooms: [String: Set<String>] = [:]
    for file in try House.swiftFiles(under: ["Sources", "Exporters", "Dashboards"]) {
      for type in TypeLength.all(in: file.lines) where type.isDeclaration {
        rooms[type.name, default: []].insert(file.room)
      }
    }
    #expect(rooms.count > 300)
    for (type, rooms) in rooms where rooms.count > 1 { Issue.record("\(type) is a type of \(rooms.sorted())") }
  }

  @Test(.enabled(if: House.hasProtobufCompiler))
  func `has the C that its protobuf schemas make`() throws {
    let process = Process()
    process.executableURL = House.root.appendingPathComponent("scripts/generate-protobuf")
    process.arguments = ["--check"]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "scripts/generate-protobuf makes something else than what is committed")
  }

  @Test func `names its suites in words`() throws {
    var count = 0
    for file in try House.swiftFiles(under: ["Tests"]) {
      for line in file.lines where line.hasPrefix("@Suite") {
        count += 1
        #expect(line.contains(" `"), "\(file.path) has another style: \(line)")
      }
      let hasTests = file.lines.contains { $0.hasPrefix("  @Test") }
      let hasSuites = file.lines.contains { $0.hasPrefix("@Suite") || $0.hasPrefix("extension") }
      #expect(!hasTests || hasSuites, "\(file.path) has tests outside of a suite")
    }
    #expect(count > 200)
  }

  @Test func `describes itself in three pages`() throws {
    #expect(
      try House.text("docs/architecture.md").split(separator: "\n", omittingEmptySubsequences: false).count <= 150)
  }
}

@Suite struct `The length of a function` {
  @Test func `is counted from its first line to its closing brace`() {
    let text = """
      struct A {
        let f: () -> Void
        func short() { print("}") }
        func declared()
        public init(
          a: Int
        ) {
          if a > 0 {
            print("}")
          }
        }
        @Test func last() {
        }
      }
      """
    let lengths = FunctionLength.all(in: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    #expect(lengths == [FunctionLength(firstLine: 5, lines: 7), FunctionLength(firstLine: 12, lines: 2)])
  }
}

@Suite struct `The length of a type` {
  @Test func `is the sum of its declaration and its extensions at the top level`() {
    let text = """
      /// struct Not {
      package struct A<Element>: Sendable {
        struct B {
        }
      }
      extension A: Hashable {
      }
      @safe final class `C D` {}
      extension A.B { }
      let x = 0
      """
    let lengths = TypeLength.all(in: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    #expect(lengths.map(\.name) == ["A", "A", "`C", "A.B"])
    #expect(lengths.map(\.lines) == [4, 2, 1, 1])
    #expect(lengths.map(\.isDeclaration) == [true, false, true, false])
  }
}

@Suite struct `A declaration` {
  @Test func `is documented if a comment for readers stands above it and its attributes`() {
    let text = """
      public import Text
      /// A.
      @safe
      package struct A {
        // Not this.
        package var b: Int
        package private(set) var c = 0
        /// D.
        @inlinable public static func d() {}
        let e = package
      }
      package extension A {
      }
      """
    let found = Declaration.all(in: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    #expect(
      found == [
        Declaration(line: 4, isPublic: false, isDocumented: true),
        Declaration(line: 6, isPublic: false, isDocumented: false),
        Declaration(line: 7, isPublic: false, isDocumented: false),
        Declaration(line: 9, isPublic: true, isDocumented: true),
      ])
  }
}
