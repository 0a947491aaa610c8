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
  /// For each value of the label, the label packed. Empty if there is none, and for a metric of the agent.
  let labels: [PackedText]
  /// The names of the labels of a metric of the agent, or of event sources.
  let labelNames: [String]
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
    let isOfAgent = if case .agent = family.source { true } else { false }
    labels =
      isOfAgent
      ? [] : family.labels.first.map { label in label.values.map { PackedText(label: label.name, value: $0) } } ?? []
    labelNames = isOfAgent ? family.labels.map(\.name) : [family.sourceLabel].compactMap { $0 }
    source = family.source
    exemplar = family.exemplar
  }
}
