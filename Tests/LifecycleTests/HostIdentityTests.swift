import Lifecycle
import Testing

@Suite struct `Host identity tests` {
  @Test(arguments: ["us-east-1", "eu-west-1", "us-gov-west-1", "us-isob-east-1", "ap-southeast-12", "cn-north-1"])
  func `takes the names of regions`(_ text: String) { #expect(HostIdentity.isRegion(text)) }

  @Test(arguments: [
    "", "moon-1", "us-east", "US-EAST-1", "us--1", "us-east-1 ", "us-east-123", "u-east-1", "us-ea1st-1",
  ])
  func `refuses what is no region`(_ text: String) { #expect(!HostIdentity.isRegion(text)) }

  @Test func `takes twelve digits as an account`() {
    #expect(HostIdentity.isAccount("000000000000"))
    for text in ["", "12345678901", "1234567890123", "12345678901a"] { #expect(!HostIdentity.isAccount(text)) }
  }

  @Test(arguments: [
    ("eu-west-1", "arn:aws:lambda:eu-west-1:123456789012:function:f:live"),
    ("cn-north-1", "arn:aws-cn:lambda:cn-north-1:123456789012:function:f:live"),
    ("us-gov-east-1", "arn:aws-us-gov:lambda:us-gov-east-1:123456789012:function:f:live"),
  ])
  func `makes ARNs of its partition`(region: String, arn: String) {
    #expect(HostIdentity(region: region, account: "123456789012").arn("f", qualifier: "live") == arn)
  }
}

@Suite struct `Environment variables tests` {
  @Test(arguments: ["AB", "a1", "A_", "MIX_3d"])
  func `takes names as AWS does`(_ name: String) { #expect(EnvironmentVariables.isName(name)) }

  @Test(arguments: ["", "A", "1A", "_A", "A-B", "A B", "\u{c4}B", "A="])
  func `refuses names as AWS does`(_ name: String) { #expect(!EnvironmentVariables.isName(name)) }

  @Test(
    arguments: [
      ([:], "{}"), (["AB": ""], #"{"AB":""}"#), (["AB": "1", "CD": "2"], #"{"AB":"1","CD":"2"}"#),
      (["AB": "\"\\\n\u{1}\u{e4}"], #"{"AB":"\"\\\n\u0001??"}"#),
    ] as [([String: String], String)])
  func `measures variables as JSON`(variables: [String: String], json: String) {
    // The two question marks stand for the two bytes of the letter.
    #expect(EnvironmentVariables.measuredBytes(of: variables) == json.count)
  }
}
