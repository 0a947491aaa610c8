import Lifecycle
import Testing

@testable import FunctionHost

struct AdmissionTests {
  private let first = FunctionIndex(position: 0)
  private let second = FunctionIndex(position: 1)

  @Test func `holds a reserved function to its part and leaves it that part`() throws {
    var admission = try Admission(accountConcurrency: 10, unreservedMinimum: 1, reserved: [2, nil])
    #expect(admission.admit(first) == .admitted(.reserved))
    #expect(admission.admit(first) == .admitted(.reserved))
    #expect(admission.admit(first) == .throttled(.reservedFunctionConcurrentInvocationLimit))
    for _ in 0..<8 { #expect(admission.admit(second) == .admitted(.unreserved)) }
    #expect(admission.admit(second) == .throttled(.concurrentInvocationLimit))
    admission.release(first)
    #expect(admission.admit(second) == .throttled(.concurrentInvocationLimit))
    #expect(admission.admit(first) == .admitted(.reserved))
    admission.release(second)
    #expect(admission.admit(second) == .admitted(.unreserved))
    #expect(admission.runningCount == 10)
  }

  @Test func `refuses everything of a paused function`() throws {
    var admission = try Admission(accountConcurrency: 10, unreservedMinimum: 1, reserved: [0])
    #expect(admission.admit(first) == .throttled(.reservedFunctionConcurrentInvocationLimit))
    #expect(admission.ceiling(first) == 0)
  }

  struct Configured: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var account: Int
    var minimum: Int
    var reserved: [Int?]
    var isValid: Bool
  }

  @Test(arguments: [
    Configured(testDescription: "all but the minimum", account: 1000, minimum: 100, reserved: [900], isValid: true),
    Configured(testDescription: "one too many", account: 1000, minimum: 100, reserved: [900, 1], isValid: false),
    Configured(
      testDescription: "a small account, nothing reserved", account: 5, minimum: 100, reserved: [nil], isValid: true),
    Configured(
      testDescription: "a paused function in a full account", account: 100, minimum: 100, reserved: [0], isValid: true),
    Configured(testDescription: "a negative reserve", account: 1000, minimum: 100, reserved: [-1], isValid: false),
    Configured(testDescription: "no account", account: 0, minimum: 0, reserved: [], isValid: false),
    Configured(
      testDescription: "a sum that overflows", account: 1000, minimum: 100, reserved: [.max, .max], isValid: false),
  ])
  func `takes only what leaves the unreserved minimum`(_ given: Configured) {
    let admission = try? Admission(
      accountConcurrency: given.account, unreservedMinimum: given.minimum, reserved: given.reserved)
    #expect((admission != nil) == given.isValid)
  }
}
