import CProtobufC

/// The library that packs messages.
public enum ProtobufLibrary {
  /// The version that the process has.
  public static var version: String { unsafe String(cString: protobuf_c_version()) }
}
