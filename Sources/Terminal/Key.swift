/// A key that was pressed.
package enum Key: Hashable, Sendable {
  /// One scalar of text; a combining one comes as a key of its own.
  case character(Character)
  /// With the control key: `control("c")`.
  case control(Character)
  /// With or without modifiers.
  case up, down, left, right, pageUp, pageDown, home, end
  /// Return and Enter are one key, and so are both of a terminal's codes for backspace.
  case enter, escape, tab, backspace, delete
  /// A sequence that nothing here has a use for.
  case other
}

/// Makes keys of the bytes that a terminal sends, however they are split over reads.
///
/// Nothing but time tells the escape key from the begin of a sequence: while ``isWaiting``, the caller waits a moment
/// (``patience``) for more and then calls ``giveUp()``.
package struct KeyDecoder: Sendable {
  /// How long the rest of a sequence may take, over a slow line too.
  package static let patience = Duration.milliseconds(60)
  /// Sequences that are longer are none.
  private static let lengthLimit = 32

  private var pending: [UInt8] = []

  /// Makes a decoder before any byte came.
  package init() {}

  /// Whether a sequence has begun and not ended.
  package var isWaiting: Bool { !pending.isEmpty }

  /// Takes bytes, and gives the keys that they complete. What is neither a key nor a sequence is left out.
  package mutating func decode(_ bytes: some Sequence<UInt8>) -> [Key] {
    var keys: [Key] = []
    for byte in bytes {
      pending.append(byte)
      take(into: &keys)
    }
    return keys
  }

  /// Nothing more came: a lone escape is the key, and half a sequence is nothing.
  package mutating func giveUp() -> [Key] {
    defer { pending = [] }
    return pending == [0x1B] ? [.escape] : []
  }

  private mutating func take(into keys: inout [Key]) {
    guard let first = pending.first, let last = pending.last else { return }
    if pending.count > Self.lengthLimit {
      pending = []
    } else if first == 0x1B {
      takeSequence(last, into: &keys)
    } else if first < 0x80 {
      pending = []
      keys.append(Self.plain(first))
    } else {
      takeScalar(first, into: &keys)
    }
  }

  private mutating func takeSequence(_ last: UInt8, into keys: inout [Key]) {
    guard pending.count > 1 else { return }
    if pending.count == 2 {
      switch last {
      // CSI and SS3: more follows.
      case UInt8(ascii: "["), UInt8(ascii: "O"): return
      // The key twice, or the key and then a sequence.
      case 0x1B:
        pending = [0x1B]
        keys.append(.escape)
      // A character with the Alt key.
      default:
        pending = []
        keys.append(.other)
      }
      return
    }
    if last == 0x1B {
      pending = [0x1B]
    } else if (0x40...0x7E).contains(last) {
      let body = pending[2..<(pending.count - 1)]
      keys.append(Self.sequence(last, parameters: String(decoding: body, as: UTF8.self)))
      pending = []
    } else if !(0x20...0x3F).contains(last) {
      // No part of a sequence (ECMA-48, 5.4).
      pending = []
    }
  }

  private mutating func takeScalar(_ first: UInt8, into keys: inout [Key]) {
    let length =
      switch first {
      case 0xC2...0xDF: 2
      case 0xE0...0xEF: 3
      case 0xF0...0xF4: 4
      default: 1
      }
    // A byte that cannot follow ends the attempt, and begins its own.
    if let last = pending.last, pending.count > 1, !(0x80...0xBF).contains(last) {
      pending = [last]
      return take(into: &keys)
    }
    guard pending.count >= length else { return }
    let bytes = pending
    pending = []
    guard let text = String(validating: bytes, as: UTF8.self), let character = text.first else { return }
    keys.append(.character(character))
  }

  private static func plain(_ byte: UInt8) -> Key {
    switch byte {
    case 0x0D, 0x0A: .enter
    case 0x09: .tab
    case 0x7F, 0x08: .backspace
    case 0x01...0x1A: .control(Character(Unicode.Scalar(byte + 0x60)))
    case 0x00, 0x1C...0x1F: .other
    default: .character(Character(Unicode.Scalar(byte)))
    }
  }

  /// What xterm and its like send, with or without modifiers.
  private static func sequence(_ final: UInt8, parameters: String) -> Key {
    switch final {
    case UInt8(ascii: "A"): return .up
    case UInt8(ascii: "B"): return .down
    case UInt8(ascii: "C"): return .right
    case UInt8(ascii: "D"): return .left
    case UInt8(ascii: "H"): return .home
    case UInt8(ascii: "F"): return .end
    case UInt8(ascii: "M"): return parameters.isEmpty ? .enter : .other
    case UInt8(ascii: "~"):
      switch parameters.split(separator: ";").first {
      case "1", "7": return .home
      case "4", "8": return .end
      case "3": return .delete
      case "5": return .pageUp
      case "6": return .pageDown
      default: return .other
      }
    default: return .other
    }
  }
}
