import AWSClient
import AWSClientTestSupport
import Testing

@testable import LambdaControl

@Suite struct `An answer of the control plane` {
  @Test func `is a document or an error, however deep or strange it is`() async {
    let bodies = [
      String(repeating: "[", count: 200_000), String(repeating: #"{"a":"#, count: 100_000), "\u{FEFF}{}", "nul",
      "1e999999",
      #"{"AccountLimit":{"ConcurrentExecutions":1e400,"UnreservedConcurrentExecutions":1}}"#,
      #"{"AccountLimit":{"ConcurrentExecutions":9223372036854775808,"UnreservedConcurrentExecutions":1}}"#,
      #"{"AccountLimit":{"ConcurrentExecutions":1.5,"UnreservedConcurrentExecutions":1}}"#, "{\"a\":\"\\uD800\"}",
    ]
    for body in bodies {
      let error = await failure { try Wire.decode(Wire.Account.self, Array(body.utf8), of: "GetAccountSettings") }
      #expect(error?.code == .malformed, "\(body.prefix(40))")
    }
    #expect(await failure { try Wire.decode(Wire.Account.self, [0xFF, 0xFE, 0x00], of: "X") }?.code == .malformed)
  }
}
