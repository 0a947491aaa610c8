import CPrometheusProto
import CProtobufC
import Catalogue
import Lifecycle
import Windows

/// The protobuf messages of exemplars, allocated once and filled again for each metric.
@safe struct ExemplarMessages: ~Copyable {
  /// No fewer bytes than one takes, with its tag and length.
  static let room = 128

  private static let labelName: StaticString = "request_id"

  private let exemplars: CMemory<KelvinPrometheus__Exemplar>
  private let labels: CMemory<KelvinPrometheus__Label>
  private let labelPointers: CMemory<UnsafeMutablePointer<KelvinPrometheus__Label>?>
  private let instants: CMemory<KelvinPrometheus__Instant>
  private let texts: CMemory<UInt8>
  /// The first ``count`` are the exemplars that were sorted in, the oldest first: Prometheus drops what is older than what it has.
  let inOrderOfTime: CMemory<UnsafeMutablePointer<KelvinPrometheus__Exemplar>?>
  private(set) var count = 0

  init(limit: Int) {
    unsafe exemplars = CMemory(limit) { _ in
      var exemplar = unsafe KelvinPrometheus__Exemplar()
      unsafe kelvin_prometheus__exemplar__init(&exemplar)
      return unsafe exemplar
    }
    unsafe labels = CMemory(limit) { _ in
      var label = unsafe KelvinPrometheus__Label()
      unsafe kelvin_prometheus__label__init(&label)
      return unsafe label
    }
    unsafe instants = CMemory(limit) { _ in
      var instant = unsafe KelvinPrometheus__Instant()
      unsafe kelvin_prometheus__instant__init(&instant)
      return unsafe instant
    }
    texts = CMemory(limit * UUIDText.count) { _ in 0 }
    unsafe labelPointers = CMemory(limit) { [labels = unsafe labels.start] in unsafe labels + $0 }
    unsafe inOrderOfTime = CMemory(limit) { _ in nil }
    for position in 0..<limit {
      // SAFETY: a static string lives forever, and nothing writes to the data of a message that is packed.
      unsafe labels.start[position].name = unsafe ProtobufCBinaryData(
        len: ExemplarMessages.labelName.utf8CodeUnitCount,
        data: UnsafeMutablePointer(mutating: ExemplarMessages.labelName.utf8Start))
      unsafe labels.start[position].value = unsafe ProtobufCBinaryData(
        len: UUIDText.count, data: texts.start + position * UUIDText.count)
      unsafe exemplars.start[position].n_label = 1
      unsafe exemplars.start[position].label = unsafe labelPointers.start + position
      unsafe exemplars.start[position].time = unsafe instants.start + position
    }
  }

  /// Fills the message at a position.
  ///
  /// - Returns: The message, which lives as long as `self`.
  @unsafe mutating func set(_ position: Int, _ exemplar: Exemplar) -> UnsafeMutablePointer<KelvinPrometheus__Exemplar> {
    let message = unsafe exemplars.pointer(position)
    // SAFETY: each position has room for one text.
    unsafe UUIDText.write(exemplar.request.value, to: texts.start + position * UUIDText.count)
    unsafe message.pointee.value = MetricValue.duration(exemplar.value).nearestDouble
    unsafe instants.start[position].set(exemplar.time)
    return unsafe message
  }

  mutating func removeAll() { count = 0 }

  /// Puts the message at a position, which has been filled, among those in order.
  mutating func sortIn(_ position: Int) {
    var place = count
    while place > 0, unsafe ExemplarMessages.isLater(inOrderOfTime.start[place - 1], than: instants.start[position]) {
      unsafe inOrderOfTime.start[place] = unsafe inOrderOfTime.start[place - 1]
      place -= 1
    }
    unsafe inOrderOfTime.start[place] = unsafe exemplars.pointer(position)
    count += 1
  }

  private static func isLater(
    _ exemplar: UnsafeMutablePointer<KelvinPrometheus__Exemplar>?, than instant: KelvinPrometheus__Instant
  ) -> Bool {
    guard let time = unsafe exemplar?.pointee.time else { return false }
    return unsafe (time.pointee.seconds, time.pointee.nanos) > (instant.seconds, instant.nanos)
  }
}
