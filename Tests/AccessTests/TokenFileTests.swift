import Access
import Testing

@Suite struct `A file of tokens` {
  private static let secret = "0123456789abcdef"

  @Test func `has a token in each line, as a secret or its digest`() throws {
    let tokens = try TokenFile.read(
      """
      # who may ask

      prometheus  read         \(Self.secret)
      functions\tingest,read\tsha256:9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08  # of "test"
      """)
    #expect(tokens.map(\.name) == ["prometheus", "functions"])
    #expect(tokens.map(\.roles) == [[.read], [.ingest, .read]])
    #expect(tokens.map(\.isWritten) == [true, false])
  }

  @Test(arguments: [
    ("", 1, "no token"),
    ("a read", 1, "three words"),
    ("a read x y", 1, "three words"),
    ("\na write \(secret)", 2, "ingest, read, control"),
    ("a read, \(secret)", 1, "roles of a"),
    ("a read short", 1, "fewer than 16"),
    ("a read \(secret)é", 1, "ASCII"),
    ("a read sha256:12", 1, "64 hexadecimal"),
    ("a/b read \(secret)", 1, "letters"),
    ("a read \(secret)\na ingest \(secret)", 2, "twice"),
  ])
  func `says which line is wrong, and why`(_ text: String, _ line: Int, _ words: String) {
    let problem = #expect(throws: TokenFileProblem.self) { try TokenFile.read(text) }
    #expect(problem?.line == line)
    #expect(problem?.message.contains(words) == true, "\(problem?.message ?? "")")
    #expect(problem?.message.contains(Self.secret) == false, "a secret is never repeated")
  }

  @Test func `has a bound`() {
    let text = (0...TokenFile.tokensMax).map { "t\($0) read \(Self.secret)" }.joined(separator: "\n")
    #expect(throws: TokenFileProblem.self) { try TokenFile.read(text) }
  }
}
