import CZlib
import Documents
import LambdaRecords
import Lifecycle
import LogContainers
import LogImport
import Text

/// A file as tests give it to an importer.
struct LogFile {
  var name = "a.log"
  var folder: String?
  var bytes: [UInt8]

  init(_ text: String) { bytes = Array(text.utf8) }

  init(_ bytes: [UInt8], folder: String? = nil) {
    self.bytes = bytes
    self.folder = folder
  }
}

/// What an importer made of files.
struct Imported {
  var document: ImportDocument
  var intake: LogIntake
  var reports: [LogImporter.FileReport] = []
  var lives: ImportedLives

  /// - Parameter piece: How many bytes come at once.
  init(_ files: [LogFile], function: String? = nil, piece: Int = 1 << 20) {
    let importer = LogImporter(now: Timestamp(seconds: 1_800_000_000))
    for file in files {
      importer.begin(file.name, folder: file.folder, function: function)
      var position = 0
      while position < file.bytes.count {
        let end = min(position + piece, file.bytes.count)
        importer.append(file.bytes.span.extracting(position..<end))
        position = end
      }
      reports.append(importer.endFile())
    }
    lives = importer.finish()
    intake = importer.intake
    document = ImportDocument(
      lives, importer.intake, range: nil, resolution: nil, now: Timestamp(seconds: 1_800_000_000))
  }

  init(_ text: String, function: String? = nil) { self.init([LogFile(text)], function: function) }

  var counts: LifeCounts { document.counts }
}

extension LifeCounts {
  /// Counts by their names, for a line of a table.
  static func of(_ change: (inout LifeCounts) -> Void) -> LifeCounts {
    var counts = LifeCounts()
    change(&counts)
    return counts
  }
}

/// The bytes as one member of gzip.
func gzipped(_ bytes: [UInt8]) -> [UInt8] {
  var stream = unsafe z_stream()
  unsafe deflateInit2_(
    &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
    Int32(MemoryLayout<z_stream>.size))
  var input = bytes
  var output = [UInt8](repeating: 0, count: bytes.count + 1_024)
  let count = unsafe input.withUnsafeMutableBufferPointer { input in
    unsafe output.withUnsafeMutableBufferPointer { output in
      unsafe stream.next_in = input.baseAddress
      unsafe stream.avail_in = UInt32(input.count)
      unsafe stream.next_out = output.baseAddress
      unsafe stream.avail_out = UInt32(output.count)
      unsafe deflate(&stream, Z_FINISH)
      return unsafe output.count - Int(stream.avail_out)
    }
  }
  unsafe deflateEnd(&stream)
  return Array(output[..<count])
}

/// A text as JSON.
func quoted(_ text: String) -> String {
  var writer = JSONWriter()
  writer.string(text)
  return String(decoding: writer.bytes, as: UTF8.self)
}
