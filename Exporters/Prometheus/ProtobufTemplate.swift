import CPrometheusProto
import Catalogue
import Windows

/// The bytes of a metric that never change, encoded once.
struct ProtobufTemplate: Sendable {
  let name: PackedText
  let help: [UInt8]
  /// What comes behind the length of a window; `nil` if it is not named.
  let helpBehindWindow: [UInt8]?
  let unit: PackedText?
  let kind: MetricFamily.Kind
  /// For each value of the label, the label packed. Empty if there is none.
  let labels: [PackedText]
  /// The name of a label whose value is known only when it is read.
  let openLabel: String?
  let source: MetricFamily.Source
  let exemplar: MetricFamily.ExemplarReading?

  static let all = Catalogue.families.map { ProtobufTemplate($0) }

  init(_ family: MetricFamily) {
    name = PackedText(family.name)
    let parts = MetricFamily.aroundWindow(family.help)
    help = Array(parts.before.utf8)
    helpBehindWindow = parts.behind.map { Array($0.utf8) }
    unit = family.unitOfName.map { PackedText($0) }
    kind = family.kind
    labels = family.label.map { label in family.labelValues.map { PackedText(label: label, value: $0) } } ?? []
    openLabel = family.labelValues.isEmpty ? family.label : nil
    source = family.source
    exemplar = family.exemplar
  }
}
