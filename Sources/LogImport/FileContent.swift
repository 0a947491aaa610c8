import LogContainers

/// The content of a file, from its first byte on: undoes gzip, several layers of it, and refuses what is no text.
final class FileContent {
  /// How many layers of gzip there may be: Firehose packs what CloudWatch has packed.
  private static let layersMax = 3
  /// How many bytes are looked at before the rest is read.
  private static let headBytes = 512
  /// At least so many bytes of text come on each that is zero.
  private static let bytesForEachZero = 64
  /// The most bytes that a packed document inside of a file may stand for.
  private static let documentMax = 64 << 20

  private enum Form {
    case unknown
    case gzip(Gunzip, inner: FileContent)
    case text
    case wide(isLittleEndian: Bool)
    case refused
  }

  private let intake: LogIntake
  private let layer: Int
  private let budget: InflationBudget
  private var form = Form.unknown
  private var head: [UInt8] = []
  private var oddByte: [UInt8] = []
  private lazy var reader = LogFileReader(intake) { [budget] packed in
    Gunzip.all(packed, bytesMax: FileContent.documentMax, budget)
  }
  /// Why nothing was read, or not all, as a part of a sentence.
  private(set) var problem: String?
  /// Whether nothing of it could be read.
  private(set) var isRefused = false

  /// - Parameter budget: What all that is packed in it may stand for, together.
  init(_ intake: LogIntake, budget: InflationBudget = InflationBudget(), layer: Int = 0) {
    self.budget = budget
    self.intake = intake
    self.layer = layer
  }

  /// Takes the next bytes.
  func append(_ bytes: Span<UInt8>) {
    guard case .unknown = form else { return take(bytes) }
    head.append(contentsOf: FileContent.array(bytes))
    if head.count >= FileContent.headBytes { decide() }
  }

  /// Takes the end of the file.
  func finish() {
    if case .unknown = form { decide() }
    switch form {
    case .text, .wide: reader.finish()
    case .gzip(let gunzip, let inner):
      inner.finish()
      isRefused = inner.isRefused
      if !gunzip.isWhole {
        problem =
          gunzip.isDamaged ? "its gzip data are damaged; what came before was read" : "its gzip data end too early"
      }
      problem = inner.problem ?? problem
    case .unknown, .refused: break
    }
  }

  private func decide() {
    let bytes = head
    head = []
    if bytes.starts(with: [0x1F, 0x8B]) {
      if layer < FileContent.layersMax, let gunzip = Gunzip() {
        form = .gzip(gunzip, inner: FileContent(intake, budget: budget, layer: layer + 1))
      } else {
        refuse("it has more than \(FileContent.layersMax) layers of gzip")
      }
    } else if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      form = .wide(isLittleEndian: bytes[0] == 0xFF)
    } else if let kind = FileContent.kind(of: bytes) {
      refuse("it is \(kind), no log")
    } else {
      form = .text
    }
    take(bytes.span)
  }

  private func refuse(_ reason: String) {
    problem = reason
    isRefused = true
    form = .refused
  }

  private func take(_ bytes: Span<UInt8>) {
    switch form {
    case .unknown, .refused: break
    case .text: reader.append(bytes)
    case .gzip(let gunzip, let inner):
      gunzip.append(bytes) { part in
        budget.take(part.count)
        guard budget.left > 0 else { return false }
        inner.append(part)
        return !inner.isRefused
      }
      if budget.left <= 0 { refuse("it stands for more bytes than are taken at once") }
    case .wide(let isLittleEndian): reader.append(narrow(bytes, isLittleEndian).span)
    }
  }

  /// Of text in units of 16 bits, as PowerShell writes files, that in UTF-8.
  private func narrow(_ bytes: Span<UInt8>, _ isLittleEndian: Bool) -> [UInt8] {
    let all = oddByte + FileContent.array(bytes)
    let whole = all.count & ~1
    oddByte = Array(all[whole...])
    let units = stride(from: 0, to: whole, by: 2).map { index in
      isLittleEndian
        ? UInt16(all[index]) | UInt16(all[index + 1]) << 8 : UInt16(all[index]) << 8 | UInt16(all[index + 1])
    }
    return Array(String(decoding: units, as: UTF16.self).utf8)
  }

  /// What a file is that is none of text; `nil` for text.
  private static func kind(of bytes: [UInt8]) -> String? {
    let kinds: [(String, [UInt8])] = [
      ("a ZIP archive", [0x50, 0x4B, 0x03, 0x04]), ("a program", [0x7F, 0x45, 0x4C, 0x46]),
      ("a picture", [0x89, 0x50, 0x4E, 0x47]), ("a picture", [0xFF, 0xD8, 0xFF]), ("a PDF", Array("%PDF-".utf8)),
      ("a SQLite database", Array("SQLite format 3".utf8)), ("a Parquet file", Array("PAR1".utf8)),
      ("packed with bzip2", Array("BZh".utf8)), ("packed with xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A]),
      ("packed with Zstandard", [0x28, 0xB5, 0x2F, 0xFD]),
    ]
    if let known = kinds.first(where: { bytes.starts(with: $0.1) }) { return known.0 }
    // A damaged log may have one or the other.
    let zeros = bytes.count { $0 == 0 }
    return zeros * FileContent.bytesForEachZero > bytes.count ? "binary" : nil
  }

  private static func array(_ bytes: Span<UInt8>) -> [UInt8] {
    // SAFETY: the pointer does not leave the closure.
    unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
  }
}

/// How many bytes may still be inflated of what belongs together: gzip of gzip grows a million times.
final class InflationBudget {
  private(set) var left: Int

  /// - Parameter bytes: Without a bound unless given: a file is its reader's own.
  init(bytes: Int = .max) { left = bytes }

  func take(_ bytes: Int) { left -= min(left, bytes) }
}
