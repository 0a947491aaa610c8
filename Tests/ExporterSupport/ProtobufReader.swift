import Foundation

/// A protobuf message, read field by field: nothing of the code under test is in it.
package struct ProtobufMessage {
  package enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case bytes([UInt8])
  }

  package struct Problem: Error, CustomStringConvertible {
    package var description: String
  }

  /// In the order in which they came.
  package private(set) var fields: [(number: Int, value: Value)] = []

  package init(_ bytes: ArraySlice<UInt8>) throws {
    var rest = bytes
    while !rest.isEmpty {
      let key = try ProtobufMessage.varint(&rest)
      let number = Int(key >> 3)
      switch key & 7 {
      case 0: fields.append((number, .varint(try ProtobufMessage.varint(&rest))))
      case 1: fields.append((number, .fixed64(try ProtobufMessage.fixed64(&rest))))
      case 2:
        let length = Int(try ProtobufMessage.varint(&rest))
        fields.append((number, .bytes(Array(try ProtobufMessage.take(length, &rest)))))
      default: throw Problem(description: "field \(number) has wire type \(key & 7)")
      }
    }
  }

  /// The messages of a stream, each of which has its length in front.
  package static func delimited(_ bytes: [UInt8]) throws -> [ProtobufMessage] {
    var rest = bytes[...]
    var messages: [ProtobufMessage] = []
    while !rest.isEmpty {
      let length = Int(try varint(&rest))
      messages.append(try ProtobufMessage(take(length, &rest)))
    }
    return messages
  }

  // MARK: Fields

  package func messages(_ number: Int) throws -> [ProtobufMessage] {
    try all(number).map { value in
      guard case .bytes(let bytes) = value else { throw Problem(description: "field \(number) is no message") }
      return try ProtobufMessage(bytes[...])
    }
  }

  package func message(_ number: Int) throws -> ProtobufMessage? { try messages(number).last }

  package func text(_ number: Int) throws -> String? {
    guard case .bytes(let bytes)? = all(number).last else { return nil }
    guard let text = String(bytes: bytes, encoding: .utf8) else {
      throw Problem(description: "field \(number) is not UTF-8")
    }
    return text
  }

  package func unsigned(_ number: Int) throws -> UInt64? {
    switch all(number).last {
    case .varint(let value): value
    case nil: nil
    default: throw Problem(description: "field \(number) is no varint")
    }
  }

  package func double(_ number: Int) throws -> Double? {
    switch all(number).last {
    case .fixed64(let value): Double(bitPattern: value)
    case nil: nil
    default: throw Problem(description: "field \(number) is no double")
    }
  }

  package func zigzag(_ number: Int) throws -> Int64? { try unsigned(number).map(ProtobufMessage.unzigzag) }

  /// Repeated zigzag numbers, packed or not.
  package func zigzags(_ number: Int) throws -> [Int64] {
    try all(number).flatMap { value -> [Int64] in
      switch value {
      case .varint(let value): return [ProtobufMessage.unzigzag(value)]
      case .bytes(let bytes):
        var rest = bytes[...]
        var numbers: [Int64] = []
        while !rest.isEmpty { numbers.append(ProtobufMessage.unzigzag(try ProtobufMessage.varint(&rest))) }
        return numbers
      case .fixed64: throw Problem(description: "field \(number) is fixed")
      }
    }
  }

  private func all(_ number: Int) -> [Value] { fields.filter { $0.number == number }.map(\.value) }

  // MARK: The wire

  private static func unzigzag(_ value: UInt64) -> Int64 { Int64(value >> 1) ^ -Int64(value & 1) }

  private static func varint(_ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
    var value: UInt64 = 0
    for position in 0..<10 {
      guard let byte = rest.popFirst() else { throw Problem(description: "a varint ends early") }
      value |= UInt64(byte & 0x7F) << UInt64(7 * position)
      if byte & 0x80 == 0 {
        if position > 0, byte == 0 { throw Problem(description: "a varint is longer than it has to be") }
        return value
      }
    }
    throw Problem(description: "a varint does not end")
  }

  private static func fixed64(_ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
    try take(8, &rest).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func take(_ count: Int, _ rest: inout ArraySlice<UInt8>) throws -> ArraySlice<UInt8> {
    guard count >= 0, count <= rest.count else { throw Problem(description: "a field ends early") }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }
}
