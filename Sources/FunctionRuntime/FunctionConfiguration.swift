import Text

/// What a function configures for itself in code. The host's `kelvin.yaml` takes precedence.
public struct FunctionConfiguration: Sendable {
  /// The most memory an instance may take; nil leaves it to the host.
  public var memory: MemorySize?
  /// How long a handler may run before it is aborted, up to 15 minutes; nil leaves it to the host.
  public var timeout: Duration?

  /// Configures nothing unless values are given.
  public init(memory: MemorySize? = nil, timeout: Duration? = nil) {
    self.memory = memory
    self.timeout = timeout
  }

  /// The longest timeout that AWS and Kelvin know.
  public static let timeoutLimit = Duration.seconds(900)

  /// What is wrong with the values, as a sentence; nil if nothing is.
  var problem: String? {
    if let memory, memory.bytes == nil {
      return "The memory \"\(memory)\" is not a size: write 512, \"512MB\" or \"0.5GB\", from 128MB to 10GB."
    }
    if let timeout, timeout <= .zero || timeout > FunctionConfiguration.timeoutLimit {
      return "The timeout \(timeout) is out of bounds: it is longer than 0 and at most 900 seconds."
    }
    return nil
  }
}

/// An amount of memory: a number of megabytes, or text such as `"512MB"` and `"0.5GB"`.
///
/// A literal that is not a size cannot be refused by the compiler; the function then reports it and ends at start.
public struct MemorySize: Hashable, Sendable, CustomStringConvertible {
  /// From 128 MB to 10 GB, counted in 1,024s; nil for a literal that is not a size.
  public let bytes: Int64?
  /// As it was written.
  public let description: String

  /// 128 megabytes, as on AWS.
  public static let leastBytes: Int64 = 128 << 20

  /// Ten gigabytes, as on AWS.
  public static let limitBytes: Int64 = 10 << 30

  /// Reads `512`, `512MB` or `0.5GB`; nil for anything else.
  public init?(_ text: String) {
    guard let bytes = MemorySize.bytes(text) else { return nil }
    self.bytes = bytes
    description = text
  }

  /// Decimal digits, at most nine before and after one point, then a unit.
  private static func bytes(_ text: String) -> Int64? {
    var digits = Substring(text)
    var unit: Int64 = 1 << 20
    if digits.hasSuffix("MB") || digits.hasSuffix("GB") {
      if digits.hasSuffix("GB") { unit = 1 << 30 }
      digits.removeLast(2)
    }
    guard let billionths = DecimalText.scaled(digits, wholeDigitsLimit: 9, decimals: 9) else { return nil }
    let bytes = Int64(Int128(billionths) * Int128(unit) / 1_000_000_000)
    return (leastBytes...limitBytes).contains(bytes) ? bytes : nil
  }
}

extension MemorySize: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  /// Reads the literal as ``init(_:)``; ``bytes`` is nil if it is not a size.
  public init(stringLiteral text: String) {
    bytes = MemorySize.bytes(text)
    description = text
  }

  /// A number of megabytes.
  public init(integerLiteral megabytes: Int) {
    self.init(stringLiteral: String(megabytes))
  }
}
