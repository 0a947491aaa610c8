// The bytes that JSON is made of, under names: a literal in each place would hide which are the same.
extension UInt8 {
  static var quote: UInt8 { 0x22 }
  static var backslash: UInt8 { 0x5C }
  static var comma: UInt8 { 0x2C }
  static var colon: UInt8 { 0x3A }
  static var openBrace: UInt8 { 0x7B }
  static var closeBrace: UInt8 { 0x7D }
  static var openBracket: UInt8 { 0x5B }
  static var closeBracket: UInt8 { 0x5D }
  static var zero: UInt8 { 0x30 }

  /// Whether it is one of the digits 0 to 9.
  package var isDigit: Bool { self &- 0x30 < 10 }
}
