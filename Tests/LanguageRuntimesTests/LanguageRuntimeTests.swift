import LanguageRuntimes
import Testing

@Suite struct `Runtimes for other languages` {
  @Test(arguments: LanguageRuntime.allCases)
  func `are files of their own, in ASCII`(runtime: LanguageRuntime) {
    #expect(runtime.bytes.count > 10_000)
    #expect(runtime.bytes.allSatisfy { $0 < 0x80 })
    #expect(runtime.fileName.hasPrefix("kelvin"))
  }

  @Test func `are started with the handler as the last word`() {
    #expect(
      LanguageRuntime.node.command(
        interpreter: "node", handler: "index.handler", file: "/f.cjs", goesOn: false, abortSignal: nil)
        == ["node", "/f.cjs", "index.handler"])
    #expect(
      LanguageRuntime.python.command(
        interpreter: ".venv/bin/python", handler: "a.b.c", file: "/f.py", goesOn: true, abortSignal: "SIGUSR2")
        == [".venv/bin/python", "/f.py", "--on-timeout=continue", "--abort-signal=SIGUSR2", "a.b.c"])
  }
}
