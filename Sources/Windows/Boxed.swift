/// A large value on the heap that behaves as a value: copies share it until one of them is changed.
///
/// Arrays double their room as they grow; boxed, what is doubled is a reference and not the value.
struct Boxed<Value: Sendable>: Sendable {
  private final class Storage: @unchecked Sendable {
    // Written only while `isKnownUniquelyReferenced` says that nobody else can read it; the box that holds the storage
    // is itself under the law of exclusivity, so the check at run time would find nothing new.
    @exclusivity(unchecked) var value: Value

    init(_ value: Value) { unsafe self.value = value }
  }

  private var storage: Storage

  init(_ value: Value) { storage = Storage(value) }

  var value: Value {
    _read { yield unsafe storage.value }
    _modify {
      if !isKnownUniquelyReferenced(&storage) { storage = unsafe Storage(storage.value) }
      yield unsafe &storage.value
    }
  }
}
