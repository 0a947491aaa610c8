import FuzzTargets
import Glibc

/// Memory of two processes in which one shows the other what it is about to do.
///
/// SAFETY: the mapping belongs to this object, and is as long as every access assumes. The parent reads it only once the child has ended.
@safe final class InputBoard {
  private static let lengthBytes = 8
  private let memory: UnsafeMutableRawPointer

  /// - Returns: `nil` if the file cannot be mapped.
  init?(path: String, isNew: Bool) {
    let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC | (isNew ? O_CREAT | O_TRUNC : 0), 0o644)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let size = InputBoard.lengthBytes + Mutator.bytesMax
    if isNew, ftruncate(descriptor, size) != 0 { return nil }
    let mapped = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { return nil }
    unsafe memory = mapped
  }

  deinit { unsafe munmap(memory, InputBoard.lengthBytes + Mutator.bytesMax) }

  /// Shows an input; of longer ones than ``Mutator/bytesMax`` the beginning.
  func show(_ input: [UInt8]) {
    let count = min(input.count, Mutator.bytesMax)
    unsafe input.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress { unsafe memcpy(memory + InputBoard.lengthBytes, start, count) }
    }
    unsafe memory.storeBytes(of: count, as: Int.self)
  }

  /// What was shown last.
  var input: [UInt8] {
    let count = min(max(0, unsafe memory.load(as: Int.self)), Mutator.bytesMax)
    return unsafe Array(UnsafeRawBufferPointer(start: memory + InputBoard.lengthBytes, count: count))
  }
}
