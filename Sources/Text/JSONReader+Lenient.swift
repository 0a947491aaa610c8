// Reading documents of others, in which a member of an unexpected type is no error: it is passed over, checked all the same.
extension JSONReader {
  /// Reads a string, or skips a value of another type and returns `nil`.
  package mutating func stringOrOther() throws(JSONError) -> String? {
    if try kind() == .string { return try string() }
    try skip()
    return nil
  }

  /// Reads a whole number that is written as one and fits, or skips any other value and returns `nil`.
  package mutating func integerOrOther() throws(JSONError) -> Int64? {
    if try kind() == .number { return Int64(try numberText()) }
    try skip()
    return nil
  }

  /// Calls `element` as ``array(_:)`` does, or skips a value of another type.
  ///
  /// - Returns: Whether it is an array.
  package mutating func arrayOrOther(
    _ element: (inout JSONReader) throws(JSONError) -> Void
  ) throws(JSONError) -> Bool {
    guard try kind() == .array else {
      try skip()
      return false
    }
    try array(element)
    return true
  }

  /// Calls `member` as ``object(_:)`` does, or skips a value of another type.
  ///
  /// - Returns: Whether it is an object.
  package mutating func objectOrOther(
    _ member: (inout JSONReader, _ name: String) throws(JSONError) -> Void
  ) throws(JSONError) -> Bool {
    guard try kind() == .object else {
      try skip()
      return false
    }
    try object(member)
    return true
  }
}
