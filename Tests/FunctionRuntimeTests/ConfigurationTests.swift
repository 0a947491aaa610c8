import Testing

@testable import FunctionRuntime

@Test(
  arguments: zip(
    ["128", "512", "512MB", "0.5GB", "1.25GB", "10GB", "10240", "128.0MB"],
    [128 << 20, 512 << 20, 512 << 20, 512 << 20, 1280 << 20, 10 << 30, 10 << 30, 128 << 20] as [Int64]))
func `reads an amount of memory`(_ text: String, _ bytes: Int64) {
  #expect(MemorySize(text)?.bytes == bytes)
  #expect(MemorySize(stringLiteral: text).bytes == bytes)
}

@Test(
  arguments: [
    "", "GB", "MB", "0", "0.5", "0.5MB", "127", "0.1GB", "-1", "+1", "1e3", " 1", "1 GB", "512mb", "512KB", ".5GB",
    "1.GB", "1.2.3GB",
    "10.1GB", "10241", "99999999999999999999", "1.9999999999GB", "٣GB",
  ])
func `refuses what is not an amount of memory`(_ text: String) {
  #expect(MemorySize(text) == nil)
  let literal = MemorySize(stringLiteral: text)
  #expect(literal.bytes == nil)
  #expect(FunctionConfiguration(memory: literal).problem?.contains("\"\(text)\" is not a size") == true)
}

@Test func `an amount may be written as a literal`() {
  let configuration = FunctionConfiguration(memory: 512, timeout: .seconds(900))
  #expect(configuration.memory == MemorySize("512"))
  #expect(configuration.problem == nil)
  #expect(FunctionConfiguration().problem == nil)
}
