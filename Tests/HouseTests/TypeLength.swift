/// How long a type is with its extensions. Relies on the format that `swift format` gives, as ``FunctionLength`` does. Types
/// inside of others count towards those.
struct TypeLength: Equatable {
  /// As it is written, without generic parameters.
  var name: String
  /// From the line of its declaration to its closing brace.
  var lines: Int
  /// Whether it is the type itself, and known to other files, rather than an extension or for this file alone.
  var isDeclaration: Bool

  /// Of every type and extension at the top level of a file.
  static func all(in lines: [String]) -> [TypeLength] {
    lines.indices.compactMap { index in
      guard let name = name(in: lines[index]) else { return nil }
      let words = Set(lines[index].split(separator: " ").map(String.init))
      let isDeclaration = words.isDisjoint(with: ["extension", "private", "fileprivate"])
      if lines[index].hasSuffix("}") { return TypeLength(name: name, lines: 1, isDeclaration: isDeclaration) }
      guard let end = lines[index...].firstIndex(of: "}") else { return nil }
      return TypeLength(name: name, lines: end - index + 1, isDeclaration: isDeclaration)
    }
  }

  private static func name(in line: String) -> String? {
    let words = line.split(separator: " ").map(String.init)
    let kinds: Set<String> = ["struct", "class", "enum", "actor", "protocol", "extension"]
    guard line.first?.isWhitespace == false, let index = words.firstIndex(where: { kinds.contains($0) }),
      index + 1 < words.count, words[..<index].allSatisfy({ Declaration.isModifier($0) })
    else { return nil }
    return String(words[index + 1].prefix { $0.isLetter || $0.isNumber || "_.`".contains($0) })
  }
}

/// The line of a declaration that other rooms can use.
struct Declaration: Equatable {
  /// From 1.
  var line: Int
  var isPublic: Bool
  /// Whether a documentation comment stands above it.
  var isDocumented: Bool

  static func isModifier(_ word: String) -> Bool {
    let modifiers: Set<String> = [
      "public", "package", "internal", "private", "fileprivate", "final", "indirect", "static", "mutating",
      "nonmutating",
      "nonisolated", "override", "convenience", "required", "lazy", "weak", "distributed", "isolated", "consuming",
      "borrowing", "infix", "prefix", "postfix", "dynamic", "unowned",
    ]
    return word.hasPrefix("@") || modifiers.contains(word)
  }

  /// What is public or for the package, but for imports and for extensions, whose members say it themselves.
  static func all(in lines: [String]) -> [Declaration] {
    lines.indices.compactMap { index in
      let words = lines[index].split(separator: " ").map(String.init)
      guard let visibility = words.firstIndex(where: { $0 == "public" || $0 == "package" }),
        words[..<visibility].allSatisfy(isModifier),
        let kind = words[visibility...].dropFirst().first(where: { !isModifier($0) }), kind != "import",
        kind != "extension", kind.first?.isLetter == true
      else { return nil }
      let above = lines[..<index].last { !$0.trimmingPrefix(while: \.isWhitespace).hasPrefix("@") } ?? ""
      return Declaration(
        line: index + 1, isPublic: words[visibility] == "public",
        isDocumented: above.trimmingPrefix(while: \.isWhitespace).hasPrefix("///"))
    }
  }
}
