import TestSupport

/// Makes inputs of seeds: the same ones for the same seeds and number.
public struct Mutator {
  /// The longest input, in bytes.
  public static let bytesMax = 65_536

  private static let pieces: [[UInt8]] =
    [
      "0", "-1", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e999", "-0", "NaN", "%00", "%",
      "%zz", "%ff", "\r\n", "\n", "\0", "\"", "\\u0000", "\\ud800", "{}", "[", "]", "{", "}", ":", ",", "&", "=", "+",
      "#", "- ", "  ", "null", "true", "\u{1F600}", "é", "Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n",
      "Connection: close\r\n", "Host: x\r\n", "HTTP/1.1", "GET / ", "*", "&a ", "*a", "!!binary ", "0x7fffffff",
    ].map { Array($0.utf8) } + [
      [0xFF], [0x80], [0xC3], [0xED, 0xA0, 0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    ]

  private let seeds: [[UInt8]]
  private var random: SplitMix

  /// - Parameters:
  ///   - seeds: At least one.
  ///   - number: Tells one sequence of inputs from another.
  public init(_ seeds: [[UInt8]], number: UInt64) {
    precondition(!seeds.isEmpty, "BUG: no seeds")
    self.seeds = seeds
    random = SplitMix(seed: number)
  }

  /// The next input.
  public mutating func next() -> [UInt8] {
    var bytes = pick(seeds)
    for _ in 0..<(1 << Int.random(in: 0...4, using: &random)) { change(&bytes) }
    if bytes.count > Mutator.bytesMax { bytes.removeLast(bytes.count - Mutator.bytesMax) }
    return bytes
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return bytes = pick(Mutator.pieces) }
    let position = Int.random(in: 0..<bytes.count, using: &random)
    let end = min(bytes.count, position + Int.random(in: 1...(Bool.random(using: &random) ? 4 : 64), using: &random))
    switch Int.random(in: 0..<10, using: &random) {
    case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: bytes[position] = UInt8.random(in: 0...255, using: &random)
    case 2: bytes[position] &+= Bool.random(using: &random) ? 1 : 255
    case 3: bytes.removeSubrange(position..<end)
    case 4: bytes.insert(contentsOf: bytes[position..<end], at: position)
    case 5: bytes.insert(contentsOf: pick(Mutator.pieces), at: position)
    case 6: bytes.replaceSubrange(position..<end, with: pick(Mutator.pieces))
    case 7: splice(&bytes, at: position)
    case 8: bytes.removeLast(bytes.count - position)
    default: swap(&bytes, position, end)
    }
  }

  /// The rest becomes a part of another seed.
  private mutating func splice(_ bytes: inout [UInt8], at position: Int) {
    let other = pick(seeds)
    guard !other.isEmpty else { return }
    let start = Int.random(in: 0..<other.count, using: &random)
    bytes.replaceSubrange(position..., with: other[start...])
  }

  private mutating func swap(_ bytes: inout [UInt8], _ position: Int, _ end: Int) {
    let part = Array(bytes[position..<end])
    bytes.removeSubrange(position..<end)
    bytes.insert(contentsOf: part, at: Int.random(in: 0...bytes.count, using: &random))
  }

  private mutating func pick(_ list: [[UInt8]]) -> [UInt8] { list[Int.random(in: 0..<list.count, using: &random)] }
}
