/// The AWS region and account that a host claims: in ARNs, in the environment of instances, and wherever clients look
/// for one. Callers may name any other.
public struct HostIdentity: Hashable, Sendable {
  /// Such as `eu-west-1`.
  public var region: String
  /// 12 digits.
  public var account: String

  /// Makes an identity of parts that were checked with ``isRegion(_:)`` and ``isAccount(_:)``; without any, the one
  /// that hosts have unless configured.
  public init(region: String = "us-east-1", account: String = "000000000000") {
    self.region = region
    self.account = account
  }

  /// Whether `text` has the form of a region's name: words of letters joined by hyphens, and a number at the end.
  public static func isRegion(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard (3...6).contains(parts.count), text.utf8.count <= 32, let number = parts.last else { return false }
    return parts[0].count == 2 && parts.dropLast().allSatisfy { !$0.isEmpty && $0.allSatisfy(isLetter) }
      && (1...2).contains(number.count) && number.allSatisfy(isDigit)
  }

  /// Whether `text` has the form of an account's number.
  public static func isAccount(_ text: String) -> Bool { text.utf8.count == 12 && text.utf8.allSatisfy(isDigit) }

  private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  /// The part of AWS that the region is of, as ARNs name it.
  public var partition: String {
    if region.hasPrefix("cn-") { return "aws-cn" }
    if region.hasPrefix("us-gov-") { return "aws-us-gov" }
    return "aws"
  }

  /// The ARN of a function, with the qualifier if there is one.
  public func arn(_ function: String, qualifier: String? = nil) -> String {
    let base = "arn:\(partition):lambda:\(region):\(account):function:\(function)"
    return qualifier.map { "\(base):\($0)" } ?? base
  }

  /// The ARN of the role that functions are said to have.
  public var roleARN: String { "arn:\(partition):iam::\(account):role/kelvin" }

  /// The ARN of the runtime that telemetry names.
  public var runtimeARN: String { "arn:\(partition):lambda:\(region)::runtime:kelvin" }
}
