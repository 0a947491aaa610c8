import Testing

@testable import HTTPServer

@Suite struct `Token tests` {
  @Test func `a field name has the characters of RFC 9110 and no others`() {
    let allowed = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    for byte in UInt8.min...UInt8.max { #expect(isTokenByte(byte) == allowed.contains(byte), "\(byte)") }
  }
}
