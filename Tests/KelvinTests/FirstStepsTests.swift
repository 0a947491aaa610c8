import Testing

@testable import kelvin

@Suite struct `A mistyped command` {
  @Test(arguments: [
    (["stauts"], "kelvin has no command stauts. Did you mean kelvin status?"),
    (["help", "invok"], "kelvin has no command invok. Did you mean kelvin invoke?"),
    (["metrics", "lambd", "--wide"], "kelvin metrics has no command lambd. Did you mean kelvin metrics lambda?"),
    (["lambda"], "kelvin has no command lambda. Did you mean kelvin metrics lambda?"),
    (["version"], "kelvin has no command version. Did you mean kelvin --version?"),
    (["a\u{1B}[2Jb"], "kelvin has no command a\\u{1b}[2Jb. kelvin --help lists the commands."),
    ([""], "kelvin has no command . kelvin --help lists the commands."),
  ])
  func `gets a suggestion`(_ arguments: [String], sentence: String) {
    #expect(MistypedCommand.failure(arguments) == CommandFailure.usage(sentence))
  }

  @Test(arguments: [
    [], ["status"], ["reserve", "50"], ["metrics", "lambda", "whatever"], ["help", "metrics", "lambda"], ["--help"],
    ["---completion", "x"], ["invoke", "stauts"], ["help"], ["metrics"], ["help", "help"],
  ])
  func `is none of these`(_ arguments: [String]) { #expect(MistypedCommand.failure(arguments) == nil) }
}

@Suite struct `A function that there is not` {
  @Test(arguments: [
    (["orders", "reports"], " Did you mean orders?"), (["Ordesr"], " Did you mean Ordesr?"),
    (["mails"], " There is mails."), ([], " There are no functions."), (["a1", "b2"], " There are a1, b2."),
  ])
  func `is told with what there is`(_ known: [String], advice: String) {
    let failure = UnknownFunction.failure("ordesr", known: known, at: "at X")
    #expect(failure == .usage("There is no function ordesr at X.\(advice)"))
  }

  @Test func `is told of many by some`() {
    let failure = UnknownFunction.failure("ordesr", known: (10..<60).map { "mail-number-\($0)" }, at: "at X")
    #expect(failure.message.hasSuffix("mail-number-29 and 30 more."))
  }

  @Test(arguments: [
    ("orders", "orders"), ("orders:live", "orders"), ("arn:aws:lambda:r:1:function:orders", "orders"),
    ("arn:aws:lambda:r:1:function:orders:live", "orders"), ("1:function:orders", "orders"), ("", ""),
  ])
  func `is looked for by its plain name`(_ reference: String, name: String) {
    #expect(UnknownFunction.plainName(reference) == name)
  }
}
