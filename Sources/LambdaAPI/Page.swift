package import HostRules
package import Text

/// A part of a list, and where the next one begins.
package struct Page<Item> {
  /// In ascending order of their keys.
  package var items: ArraySlice<Item>
  /// What the client sends for the next page; `nil` if this is the last.
  package var nextMarker: String?

  /// The most items of a page, whatever the client asks for.
  package static var itemsMax: Int { 50 }

  /// - Parameters:
  ///   - items: In ascending order of their keys.
  ///   - marker: The ``nextMarker`` of the page before; `nil` for the first.
  ///   - count: How many items are wanted at most.
  ///   - key: Names an item for as long as it exists: the list may change between two pages.
  package init(of items: [Item], after marker: String?, count: Int64?, key: (Item) -> String) throws(AWSError) {
    var start = items.startIndex
    if let marker {
      guard let bytes = Base64.decode(marker), let last = String(validating: bytes, as: UTF8.self), !last.isEmpty else {
        throw .invalidParameter("The Marker '\(marker)' was not made by this operation.")
      }
      start = items.firstIndex { key($0) > last } ?? items.endIndex
    }
    let count = min(Int(clamping: count ?? .max), Page.itemsMax)
    self.items = items[start...].prefix(count)
    if let last = self.items.last, self.items.endIndex < items.endIndex {
      nextMarker = Base64.encode(Array(key(last).utf8))
    }
  }
}

extension JSONWriter {
  /// Writes a page as AWS does: the list, and the marker if there is a next page.
  package mutating func page<Item>(_ name: String, _ page: Page<Item>, _ write: (inout JSONWriter, Item) -> Void) {
    object { writer in
      writer.key(name)
      writer.array { writer in for item in page.items { write(&writer, item) } }
      if let marker = page.nextMarker { writer.member("NextMarker", marker) }
    }
  }
}

extension FunctionVersion {
  /// Orders texts as the versions.
  package var pageKey: String {
    switch self {
    case .latest: "0000000000"
    case .published(let number):
      String(repeating: "0", count: max(0, 10 - String(number).utf8.count)) + String(number)
    }
  }
}
