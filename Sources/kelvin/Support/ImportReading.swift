import Glibc
import LogContainers
import LogImport
import Text

/// Reads the files of an import, one after the other, and shows how far it is.
struct ImportReading {
  /// The most files in folders.
  private static let filesMax = 1_000_000
  private static let chunkBytes = 1 << 20

  /// What was found out about each file.
  private(set) var reports: [(file: String, report: LogImporter.FileReport)] = []
  /// What is not read, a sentence each.
  private(set) var unread: [String] = []
  /// How many files could be read.
  private(set) var filesRead = 0
  private let importer: LogImporter
  private let function: String?
  /// Why to read no further; asked between pieces.
  private let problem: () -> CommandFailure?
  private var chunk = [UInt8](repeating: 0, count: ImportReading.chunkBytes)
  private var bytesRead: Int64 = 0
  private var bytesTotal: Int64 = 0
  private var progress = ProgressLine()
  private let showsProgress = isatty(STDERR_FILENO) == 1
  private let clock = ContinuousClock()
  private let begun = ContinuousClock.now
  private var nextShown = ContinuousClock.now

  /// - Parameter problem: Why to read no further; asked between pieces.
  init(_ importer: LogImporter, function: String?, problem: @escaping () -> CommandFailure? = { nil }) {
    self.importer = importer
    self.function = function
    self.problem = problem
  }

  /// Reads files, folders, and `-`. What cannot be opened or read is in ``unread``, and the others are read.
  ///
  /// - Throws: ``CommandFailure``: why to read no further.
  mutating func read(_ arguments: [String]) throws {
    var files: [String] = []
    for argument in arguments {
      var status = stat()
      if argument != "-" {
        guard unsafe stat(argument, &status) == 0 else {
          unread.append("\(argument) cannot be read: \(unsafe String(cString: strerror(errno))).")
          continue
        }
      }
      if argument != "-", status.st_mode & S_IFMT == S_IFDIR {
        list(argument, into: &files)
      } else {
        files.append(argument)
      }
    }
    if showsProgress {
      for file in files where file != "-" {
        var status = stat()
        if unsafe stat(file, &status) == 0 { bytesTotal += Int64(status.st_size) }
      }
    }
    for file in files { try readFile(file) }
    if showsProgress { progress.end() }
  }

  /// The files in a folder and the folders in it, in the order of their names. Those that begin with a dot are left out, and the object
  /// that an export to S3 writes first.
  private mutating func list(_ folder: String, into files: inout [String]) {
    guard let stream = unsafe opendir(folder) else {
      return unread.append("\(folder) cannot be read: \(unsafe String(cString: strerror(errno))).")
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix("."), name != "aws-logs-write-test" { names.append(name) }
    }
    for name in names.sorted() {
      let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
      var status = stat()
      guard unsafe lstat(path, &status) == 0 else { continue }
      let isLink = status.st_mode & S_IFMT == S_IFLNK
      if isLink, unsafe stat(path, &status) != 0 {
        unread.append("\(path) cannot be read: \(unsafe String(cString: strerror(errno))).")
      } else if status.st_mode & S_IFMT == S_IFDIR {
        // It may lead back to a folder above.
        if isLink {
          unread.append("\(path) is a link to a folder, which is not followed: name that folder to read it.")
        } else {
          list(path, into: &files)
        }
      } else if status.st_mode & S_IFMT == S_IFREG, files.count < ImportReading.filesMax {
        files.append(path)
      }
    }
  }

  private mutating func readFile(_ path: String) throws {
    let isInput = path == "-"
    let descriptor = isInput ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      return unread.append("\(path) cannot be opened: \(unsafe String(cString: strerror(errno))).")
    }
    defer { if !isInput { close(descriptor) } }
    let name = isInput ? "standard input" : path
    let parts = path.split(separator: "/")
    importer.begin(name, folder: parts.count > 1 ? String(parts[parts.count - 2]) : nil, function: function)
    while true {
      let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      if count < 0 { unread.append("\(name) cannot be read: \(unsafe String(cString: strerror(errno))).") }
      guard count > 0 else { break }
      importer.append(chunk.span.extracting(0..<count))
      if let problem = problem() { throw problem }
      bytesRead += Int64(count)
      if showsProgress { showProgress() }
    }
    let report = importer.endFile()
    if !report.isRefused { filesRead += 1 }
    reports.append((name, report))
  }

  private mutating func showProgress() {
    let now = clock.now
    guard now >= nextShown else { return }
    nextShown = now + .milliseconds(200)
    let seconds = max(0.001, (now - begun) / .seconds(1))
    let events = importer.intake.understood.count + importer.intake.passedOver.count
    var text = "\(bytesRead >> 20) MiB"
    if bytesTotal > 0 { text += " of \(bytesTotal >> 20)" }
    text += ", \(Int64(Double(events) / seconds)) events/s"
    if bytesTotal > bytesRead {
      let left = Double(bytesTotal - bytesRead) / (Double(bytesRead) / seconds)
      text += ", \(Int64(left.rounded(.up))) s left"
    }
    progress.show(text)
  }
}
