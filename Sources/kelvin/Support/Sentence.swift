/// Turns messages of other rooms into whole sentences.
enum Sentence {
  /// `text` with a capital letter in front and a full stop behind, if it has none.
  static func text(_ text: String) -> String {
    let end = text.last.map { ".?!".contains($0) } == true ? "" : "."
    return text.prefix(1).uppercased() + text.dropFirst() + end
  }
}
