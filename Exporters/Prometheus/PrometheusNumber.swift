/// Floating-point numbers as Go writes them with `%g`, and with `.0` where that has neither a point nor an exponent.
///
/// Prometheus compares the text of `le` between scrapes, and makes it this way from protobuf; so must we.
public enum PrometheusNumber {
  /// `0.005`, `1.0`, `100000.0`, `1e+06`, `1.34217728e+08`, `1e-05`, `+Inf`, `-Inf`, `NaN`.
  public static func text(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if value == 0 { return value.sign == .minus ? "-0.0" : "0.0" }
    let (digits, exponent) = shortest(value.magnitude)
    let sign = value < 0 ? "-" : ""
    if exponent < -4 || exponent >= 6 { return sign + scientific(digits, exponent) }
    if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
    let padded = digits + String(repeating: "0", count: max(0, exponent + 1 - digits.count))
    let fraction = padded.dropFirst(exponent + 1)
    return sign + padded.prefix(exponent + 1) + "." + (fraction.isEmpty ? "0" : fraction)
  }

  private static func scientific(_ digits: String, _ exponent: Int) -> String {
    let fraction = digits.dropFirst()
    let mantissa = digits.prefix(1) + (fraction.isEmpty ? "" : "." + fraction)
    let magnitude = String(exponent.magnitude)
    return mantissa + "e" + (exponent < 0 ? "-" : "+") + (magnitude.count < 2 ? "0" : "") + magnitude
  }

  /// The fewest digits that read back as the value, without zeros around them, and the decimal exponent of the first.
  private static func shortest(_ value: Double) -> (digits: String, exponent: Int) {
    // Swift's description has the shortest digits, in one of two layouts: `123.45` or `1.2345e+20`.
    let parts = value.description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".")
    let written = mantissa.joined()
    var exponent = mantissa[0].count - 1 + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    let leading = written.prefix { $0 == "0" }.count
    exponent -= leading
    var digits = written.dropFirst(leading)
    while digits.last == "0" { digits.removeLast() }
    return (String(digits), exponent)
  }
}
