import Table
import Testing

struct TerminalCase: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var text: String
  var shown: String
}

@Suite struct `What others print, on a terminal,` {
  @Test(arguments: [
    TerminalCase(testDescription: "plain text", text: "a\tb\nzwölf 漢字 👩‍👩‍👧\n", shown: "a\tb\nzwölf 漢字 👩‍👩‍👧\n"),
    TerminalCase(
      testDescription: "colours and titles", text: "\u{1B}[31mred\u{1B}]0;title\u{7}", shown: "^[[31mred^[]0;title^G"),
    TerminalCase(testDescription: "C0 and DEL", text: "\0\u{8}\u{B}\u{C}\u{1F}\u{7F}", shown: "^@^H^K^L^_^?"),
    TerminalCase(testDescription: "C1", text: "a\u{9B}31m\u{85}b", shown: "a<U+009B>31m<U+0085>b"),
    TerminalCase(
      testDescription: "directions of writing", text: "\u{202E}gnp.exe\u{2066}\u{200F}\u{61C}",
      shown: "<U+202E>gnp.exe<U+2066><U+200F><U+061C>"),
    TerminalCase(
      testDescription: "no width", text: "a\u{200B}b\u{FEFF}c\u{E0041}", shown: "a<U+200B>b<U+FEFF>c<U+E0041>"),
    TerminalCase(testDescription: "a line separator", text: "a\u{2028}b", shown: "a<U+2028>b"),
    TerminalCase(
      testDescription: "a traceback joined by CR", text: "one\r\u{A0}two\r\rthree\n", shown: "one\n\u{A0}two\nthree\n"),
    TerminalCase(testDescription: "CRLF", text: "one\r\ntwo\r\n", shown: "one\ntwo\n"),
    TerminalCase(testDescription: "CR at the end", text: "one\r", shown: "one"),
  ])
  func `is in full and steers nothing`(_ given: TerminalCase) {
    #expect(TerminalText.shown(given.text) == given.shown)
  }

  @Test(arguments: [
    ("function | one\rREPORT RequestId: forged", "function | one\nfunction | REPORT RequestId: forged"),
    ("extension my | agent | a\rb", "extension my | a\nextension my | b"),
    ("START RequestId: x\rEND", "START RequestId: x\nEND"),
  ])
  func `keeps the origin of each line of a log that a carriage return makes`(_ line: String, _ shown: String) {
    let expected = shown.replacing("extension my | a\n", with: "extension my | agent | a\n")
    #expect(TerminalText.logLine(line) == expected)
  }
}
