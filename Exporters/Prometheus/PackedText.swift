import CPrometheusProto
import CProtobufC
import Lifecycle

/// Bytes that live as long as the process, so that messages can point to them at any time.
@safe struct PackedText: @unchecked Sendable {
  // The bytes are written once, before anyone can see them.
  private let bytes: UnsafeMutablePointer<UInt8>
  private let count: Int

  init(_ text: String) { self.init(Array(text.utf8)) }

  init(_ elements: [UInt8]) {
    count = elements.count
    unsafe bytes = .allocate(capacity: max(1, count))
    unsafe bytes.initialize(from: elements, count: count)
  }

  /// A label, packed.
  init(label name: String, value: String) {
    var buffer = OutputBuffer(capacity: 256)
    buffer.append(label: name, value: value)
    self.init(buffer.withSpan(0, buffer.count) { span in span.indices.map { span[$0] } })
  }

  var data: ProtobufCBinaryData { unsafe ProtobufCBinaryData(len: count, data: bytes) }
}

extension OutputBuffer {
  /// Packs a label.
  mutating func append(label name: String, value: String) {
    var (name, value) = (name, value)
    name.withUTF8 { name in
      value.withUTF8 { value in
        var label = unsafe KelvinPrometheus__Label()
        unsafe kelvin_prometheus__label__init(&label)
        // SAFETY: the texts live until the message is packed, which does not write to them.
        unsafe label.name = unsafe ProtobufCBinaryData(name)
        unsafe label.value = unsafe ProtobufCBinaryData(value)
        let room = 24 + name.count + value.count
        unsafe withUnsafePointer(to: &label) { label in
          let message = unsafe UnsafeRawPointer(label).assumingMemoryBound(to: ProtobufCMessage.self)
          _ = unsafe append(room: room, message: message)
        }
      }
    }
  }

  /// Packs an instant.
  mutating func append(instant time: Timestamp) {
    var instant = unsafe KelvinPrometheus__Instant()
    unsafe kelvin_prometheus__instant__init(&instant)
    unsafe instant.set(time)
    unsafe withUnsafePointer(to: &instant) { instant in
      _ = unsafe append(room: 24, message: UnsafeRawPointer(instant).assumingMemoryBound(to: ProtobufCMessage.self))
    }
  }
}

extension ProtobufCBinaryData {
  fileprivate init(_ text: UnsafeBufferPointer<UInt8>) {
    unsafe self.init(len: text.count, data: UnsafeMutablePointer(mutating: text.baseAddress))
  }
}

extension KelvinPrometheus__Instant {
  /// As google.protobuf.Timestamp has it: nanoseconds count forwards, before 1970 too.
  mutating func set(_ time: Timestamp) {
    var (whole, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    if rest < 0 { (whole, rest) = (whole - 1, rest + 1_000_000_000) }
    unsafe seconds = whole
    unsafe nanos = Int32(rest)
  }
}
