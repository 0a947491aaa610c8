public import Text

extension JSONError {
  /// Where reading stopped, in bytes from the start.
  public var offset: Int {
    get { position }
    set { position = newValue }
  }
}

extension JSONValue {
  /// Reads one value from UTF-8; blanks around it are allowed, anything else behind it is not.
  ///
  /// - Parameter depthLimit: How deep arrays and objects may be nested; at most 1,000.
  /// - Throws: ``JSONError``, also for a half of a surrogate pair, which text in Swift cannot hold.
  /// - Complexity: O(number of bytes).
  public init(parsing bytes: [UInt8], depthLimit: Int = 128) throws(JSONError) {
    try self.init(bytes.span, JSONRules(depthLimit: min(depthLimit, 1_000)))
  }

  /// Reads one value from text. See `init(parsing:depthLimit:)-(Array<UInt8>,_)`.
  public init(parsing text: String, depthLimit: Int = 128) throws(JSONError) {
    try self.init(parsing: Array(text.utf8), depthLimit: depthLimit)
  }
}
