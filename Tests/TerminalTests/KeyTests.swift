import Testing

@testable import Terminal

@Suite struct `Keys` {
  private static let cases: [(String, [Key])] = [
    ("q", [.character("q")]), ("\u{1B}[A", [.up]), ("\u{1B}OB", [.down]), ("\u{1B}[1;5C", [.right]),
    ("\u{1B}[5~\u{1B}[6~", [.pageUp, .pageDown]), ("\u{1B}[H\u{1B}OF", [.home, .end]),
    ("\u{1B}[1~\u{1B}[4~\u{1B}[7~\u{1B}[8~", [.home, .end, .home, .end]), ("\r\n", [.enter, .enter]),
    ("\u{03}\u{1A}", [.control("c"), .control("z")]), ("\t\u{7F}", [.tab, .backspace]),
    ("é日", [.character("é"), .character("日")]),
    ("\u{1B}x", [.other]), ("\u{1B}\u{1B}[A", [.escape, .up]), ("\u{1B}[3~", [.delete]),
    ("\u{1B}[200~q", [.other, .character("q")]),
    ("a\u{1B}[Ab", [.character("a"), .up, .character("b")]), ("?", [.character("?")]),
  ]

  @Test(arguments: cases)
  func `are read at once`(_ text: String, keys: [Key]) {
    var decoder = KeyDecoder()
    #expect(decoder.decode(text.utf8) == keys)
    #expect(!decoder.isWaiting)
  }

  @Test(arguments: cases)
  func `are the same byte by byte`(_ text: String, keys: [Key]) {
    var decoder = KeyDecoder()
    #expect(text.utf8.flatMap { decoder.decode([$0]) } == keys)
  }

  @Test func `are an escape if nothing follows it`() {
    var decoder = KeyDecoder()
    #expect(decoder.decode([0x1B]).isEmpty)
    #expect(decoder.isWaiting)
    #expect(decoder.giveUp() == [.escape])
    #expect(decoder.giveUp().isEmpty)
    #expect(decoder.decode("\u{1B}[".utf8).isEmpty)
    #expect(decoder.giveUp().isEmpty)
    #expect(decoder.decode("q".utf8) == [.character("q")])
  }

  @Test(
    arguments: [
      [0xFF, 0x71], [0xC3, 0x71], [0x80, 0x71], [0xE6, 0x97, 0x71], [0x1B, 0x5B, 0x07, 0x71], [0xED, 0xA0, 0x80, 0x71],
    ] as [[UInt8]])
  func `come through behind bytes that are none`(_ bytes: [UInt8]) {
    var decoder = KeyDecoder()
    #expect(decoder.decode(bytes).last == .character("q"))
  }

  @Test func `are not waited for without end`() {
    var decoder = KeyDecoder()
    _ = decoder.decode("\u{1B}[".utf8)
    for _ in 0..<10_000 { _ = decoder.decode("1;".utf8) }
    _ = decoder.giveUp()
    #expect(decoder.decode("q".utf8).last == .character("q"))
  }

  @Test func `are read out of any bytes without harm`() {
    var state: UInt64 = 42
    var decoder = KeyDecoder()
    for _ in 0..<200_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      _ = decoder.decode([UInt8(truncatingIfNeeded: state >> 56)])
    }
    _ = decoder.giveUp()
    #expect(decoder.decode("\u{1B}[A".utf8) == [.up])
  }
}
