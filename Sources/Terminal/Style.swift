/// The style of a piece of text.
package struct Style: Hashable, Sendable {
  /// One of the terminal's own colours, so that a person's theme decides about the shade.
  package enum Colour: UInt8, Sendable {
    case red = 31
    case green = 32
    case yellow = 33
    case cyan = 36
  }

  /// `nil`: the terminal's own foreground.
  package var colour: Colour?
  /// Whether it is bold.
  package var isBold = false
  /// Whether it is dim.
  package var isDim = false
  /// Background and foreground exchanged.
  package var isReversed = false

  /// Makes a style that is not reversed.
  package init(_ colour: Colour? = nil, isBold: Bool = false, isDim: Bool = false) {
    self.colour = colour
    self.isBold = isBold
    self.isDim = isDim
  }

  /// As the terminal shows text that nobody styled.
  package static let plain = Style()
  /// Headings, and what a person looks for.
  package static let bold = Style(isBold: true)
  /// What is less important than the rest.
  package static let dim = Style(isDim: true)
  /// Something works: an instance serves.
  package static let good = Style(.green)
  /// Something begins: an initialization, a cold start.
  package static let fresh = Style(.cyan)
  /// A limit is near, or refused something.
  package static let warning = Style(.yellow)
  /// Something failed, or a limit is reached.
  package static let alarm = Style(.red, isBold: true)

  /// The escape sequence that switches it on from nothing (ECMA-48, SGR); empty for ``plain``.
  ///
  /// Without colour, bold, dim and reversed remain: they are no colours, and a selected row must be seen.
  func sequence(usesColour: Bool) -> String {
    var codes: [String] = []
    if isBold { codes.append("1") }
    if isDim { codes.append("2") }
    if isReversed { codes.append("7") }
    if usesColour, let colour { codes.append(String(colour.rawValue)) }
    return codes.isEmpty ? "" : "\u{1B}[\(codes.joined(separator: ";"))m"
  }
}
