import Access
import Digests
import Foundation
import Synchronization
import Testing
import Text

@Suite struct `Who may ask` {
  private static let reader = "reader-0123456789"
  private static let sender = "sender-0123456789"
  /// Of `right`, with the least cost: by `mkpasswd -m bcrypt -R 4`.
  private static let hash = "$2b$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC"

  private func basic(_ user: String, _ password: String) -> String {
    "Basic \(Base64.encode(Array("\(user):\(password)".utf8)))"
  }

  private func withControl(users: [String: PasswordHash] = [:], _ body: (AccessControl, String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("access-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("tokens").path
    try write("r read \(Self.reader)\ns ingest \(Self.sender)\n", to: path)
    let tokens = try TokenFile.watched(path) { Issue.record("\($0)") }
    try body(AccessControl(tokens: { tokens.value }, users: { users }), path)
  }

  private func write(_ text: String, to path: String, mode: Int = 0o600) throws {
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
  }

  @Test func `tokens open what their roles say, by Bearer and as a password`() throws {
    try withControl { control, _ in
      #expect(control.verdict("Bearer \(Self.reader)", needs: .read) == .granted(subject: "r"))
      #expect(control.verdict("bearer  \(Self.reader)", needs: .read) == .granted(subject: "r"))
      #expect(control.verdict(basic("", Self.reader), needs: .read) == .granted(subject: "r"))
      #expect(control.verdict(basic("anyone", Self.reader), needs: .read) == .granted(subject: "r"))
      #expect(control.verdict("Bearer \(Self.reader)", needs: .ingest) == .refused(.lacksRole(subject: "r")))
      #expect(control.verdict("Bearer \(Self.sender)", needs: .ingest) == .granted(subject: "s"))
      #expect(control.verdict("Bearer \(Self.sender)x", needs: .ingest) == .refused(.wrong))
    }
  }

  @Test(arguments: [
    nil, "", "Bearer", "Bearer ", "Digest x", "Basic !!", "Basic \(Base64.encode(Array("nocolon".utf8)))",
  ])
  func `what is no credentials is missing`(_ field: String?) throws {
    try withControl { control, _ in #expect(control.verdict(field, needs: .read) == .refused(.missing)) }
  }

  @Test func `users may do everything, once their password was compared`() throws {
    let hash = try #require(PasswordHash(Self.hash))
    try #require(hash.matches("right"), "the hash of the test")
    try withControl(users: ["ann": hash]) { control, _ in
      let right = basic("ann", "right")
      #expect(control.verdict(right, needs: .read) == .needsTime)
      #expect(control.verdict(right, needs: .read, mayWait: true) == .granted(subject: "ann"))
      #expect(control.verdict(right, needs: .control) == .granted(subject: "ann"), "it is known now")
      #expect(control.verdict(basic("ann", "wrong"), needs: .read, mayWait: true) == .refused(.wrong))
      #expect(control.verdict(basic("bob", "right"), needs: .read, mayWait: true) == .refused(.wrong))
    }
  }

  @Test func `a file that changed is read again, and a bad one changes nothing`() throws {
    let problems = Mutex<[String]>([])
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("access-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("tokens").path
    try write("r read \(Self.reader)", to: path, mode: 0o644)
    let tokens = try TokenFile.watched(path) { problem in problems.withLock { $0.append(problem.message) } }
    #expect(problems.withLock { $0 }.count == 1, "others may read it")
    let control = AccessControl(tokens: { tokens.value })
    try write("r read \(Self.sender)", to: path)
    tokens.look()
    #expect(control.verdict("Bearer \(Self.reader)", needs: .read) == .refused(.wrong))
    #expect(control.verdict("Bearer \(Self.sender)", needs: .read) == .granted(subject: "r"))
    try write("nonsense", to: path)
    tokens.look()
    #expect(control.verdict("Bearer \(Self.sender)", needs: .read) == .granted(subject: "r"))
    #expect(problems.withLock { $0 }.last?.contains("line 1") == true)
    #expect(problems.withLock { $0 }.count == 2)
  }
}
