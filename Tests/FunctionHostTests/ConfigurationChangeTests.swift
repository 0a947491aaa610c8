import HostRules
import Text
import Lifecycle
import NIOCore
import Testing

@testable import FunctionHost
import LambdaAPI

@Suite struct `Changes of a function's configuration` {
  private let current: FunctionConfigurationDocument

  init() {
    var generator = SystemRandomNumberGenerator()
    var configuration = python("f", environment: ["STAGE": "test"], timeout: .milliseconds(1500))
    configuration.command = ["run", "app.handler"]
    let deployment = Deployment(at: Timestamp(seconds: 0), using: &generator)
    let state = HostedFunction(configuration, index: FunctionIndex(position: 0), deployment: deployment)
    current = FunctionConfigurationDocument(state, .latest, qualifier: nil)
  }

  private func change(_ text: String) throws(AWSError) -> ConfigurationChange {
    try ConfigurationChange(RequestBody(ByteBuffer(string: text), of: .updateFunctionConfiguration), current)
  }

  @Test func `takes what the host can change`() throws {
    let change = try change(
      #"{"MemorySize":256,"Timeout":3,"EphemeralStorage":{"Size":1024},"Description":"d","RevisionId":"r","#
        + #""Environment":{"Variables":{"AB":"","C_1":"x"}}}"#)
    #expect(
      change.settings
        == VersionSettings(
          memoryBytes: 256 << 20, timeout: .seconds(3), temporaryStorageBytes: 1 << 30,
          environment: ["AB": "", "C_1": "x"], description: "d"))
    #expect(change.revision == "r")
    #expect(try self.change("{}").settings == VersionSettings())
    #expect(try self.change(#"{"Environment":{}}"#).settings.environment == [:])
    #expect(try self.change(#"{"Environment":{"Variables":null}}"#).settings.environment == [:])
    #expect(try self.change(#"{"Description":""}"#).settings.description == "")
  }

  @Test(arguments: [
    (#"{"Timeout":1}"#, true), (#"{"Timeout":900}"#, true), (#"{"MemorySize":128}"#, true),
    (#"{"MemorySize":10240}"#, true), (#"{"EphemeralStorage":{"Size":512}}"#, true),
    (#"{"EphemeralStorage":{"Size":10240}}"#, true), (#"{"Timeout":0}"#, false), (#"{"Timeout":901}"#, false),
    (#"{"Timeout":-1}"#, false), (#"{"MemorySize":127}"#, false), (#"{"MemorySize":10241}"#, false),
    (#"{"MemorySize":9223372036854775807}"#, false), (#"{"EphemeralStorage":{"Size":511}}"#, false),
    (#"{"EphemeralStorage":{"Size":10241}}"#, false), (#"{"EphemeralStorage":{}}"#, false),
    (#"{"EphemeralStorage":{"Size":null}}"#, false), (#"{"Environment":{"Variables":{"1A":"x"}}}"#, false),
    (#"{"Environment":{"Variables":{"A":"x"}}}"#, false), (#"{"Environment":{"Variables":{"A-B":"x"}}}"#, false),
    (#"{"Environment":{"Variables":{"":"x"}}}"#, false), (#"{"Environment":{"Variables":{"AÄ":"x"}}}"#, false),
  ])
  func `holds to AWS's ranges`(_ text: String, _ isValid: Bool) {
    do {
      _ = try change(text)
      #expect(isValid)
    } catch {
      #expect(!isValid && error.code == "ValidationException" && error.status == 400, "\(error)")
    }
  }

  @Test func `names all that is out of range at once`() {
    let error = #expect(throws: AWSError.self) {
      try change(#"{"Timeout":901,"MemorySize":64,"EphemeralStorage":{"Size":1}}"#)
    }
    #expect(
      error?.message
        == "3 validation errors detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value "
        + "less than or equal to 900; Value '64' at 'memorySize' failed to satisfy constraint: Member must have value "
        + "greater than or equal to 128; Value '1' at 'ephemeralStorage.size' failed to satisfy constraint: Member must "
        + "have value greater than or equal to 512")
  }

  @Test func `does not show variables in what it says of their names`() {
    let error = #expect(throws: AWSError.self) { try change(#"{"Environment":{"Variables":{"1A":"secret"}}}"#) }
    #expect(error?.message.contains("Value at 'environment.variables' failed") == true)
    #expect(error?.message.contains("secret") == false)
  }

  @Test func `refuses variables that the platform sets, or too many`() throws {
    let reserved = #expect(throws: AWSError.self) {
      try change(#"{"Environment":{"Variables":{"AWS_REGION":"x","AWS_DEFAULT_REGION":"y","OTHER":"z"}}}"#)
    }
    #expect(reserved?.code == "InvalidParameterValueException")
    #expect(reserved?.message.hasSuffix("used in this request: AWS_DEFAULT_REGION, AWS_REGION") == true)
    #expect(throws: AWSError.self) { try change(#"{"Environment":{"Variables":{"AB":"\u0000"}}}"#) }
    // {"AB":"…"} is 9 bytes beside the value.
    let fits = String(repeating: "x", count: EnvironmentVariables.bytesMax - 9)
    _ = try change(#"{"Environment":{"Variables":{"AB":"\#(fits)"}}}"#)
    let large = #expect(throws: AWSError.self) { try change(#"{"Environment":{"Variables":{"AB":"\#(fits)x"}}}"#) }
    #expect(large?.message.contains("exceeded the 4KB limit. String measured: {") == true)
  }

  @Test func `holds to the length of a description`() throws {
    _ = try change(#"{"Description":"\#(String(repeating: "ä", count: 256))"}"#)
    let error = #expect(throws: AWSError.self) {
      try change(#"{"Description":"\#(String(repeating: "ä", count: 257))"}"#)
    }
    #expect(error?.message.hasSuffix("Member must have length less than or equal to 256") == true)
  }

  @Test(arguments: [
    #"{"Handler":"app.handler"}"#, #"{"Runtime":"provided.al2023"}"#, #"{"TracingConfig":{"Mode":"PassThrough"}}"#,
    #"{"SnapStart":{"ApplyOn":"None"}}"#, #"{"Layers":[]}"#, #"{"VpcConfig":{"SubnetIds":[],"SecurityGroupIds":[]}}"#,
    #"{"KMSKeyArn":""}"#, #"{"DeadLetterConfig":{}}"#, #"{"ImageConfig":null}"#,
    #"{"Role":"arn:aws:iam::000000000000:role/kelvin"}"#,
  ])
  func `takes what says what is so already`(_ text: String) throws {
    #expect(try change(text).settings == VersionSettings())
  }

  @Test(arguments: [
    ("Handler", #"{"Handler":"other"}"#), ("Runtime", #"{"Runtime":"python3.14"}"#), ("Role", #"{"Role":"arn:x"}"#),
    ("Layers", #"{"Layers":["arn:x"]}"#), ("TracingConfig", #"{"TracingConfig":{"Mode":"Active"}}"#),
    ("SnapStart", #"{"SnapStart":{"ApplyOn":"PublishedVersions"}}"#), ("LoggingConfig", #"{"LoggingConfig":{}}"#),
    ("CapacityProviderConfig", #"{"CapacityProviderConfig":{}}"#), ("Unknown", #"{"Unknown":1}"#),
    ("Environment.Other", #"{"Environment":{"Variables":{},"Other":1}}"#),
    ("EphemeralStorage.Other", #"{"EphemeralStorage":{"Size":512,"Other":1}}"#),
  ])
  func `refuses to ignore what it cannot change`(_ name: String, _ text: String) {
    let error = #expect(throws: AWSError.self) { try change(text) }
    #expect(error?.status == 501 && error?.code == "NotImplementedException")
    #expect(error?.message.contains(name) == true, "\(error?.message ?? "")")
  }

  @Test func `shows a function as it is`() {
    #expect(current.arn == "arn:aws:lambda:us-east-1:000000000000:function:f")
    #expect(current.timeoutSeconds == 2)
    #expect(current.memoryMegabytes == 128)
    #expect(current.temporaryStorageMegabytes == 512)
    #expect(current.handler == "app.handler")
    #expect(current.environment == ["STAGE": "test"])
    #expect(Base64.decode(current.codeSHA256)?.count == 32)
    var writer = JSONWriter()
    current.write(into: &writer)
    let text = String(buffer: writer.buffer)
    #expect(text.contains(#""Version":"$LATEST""#) && text.contains(#""LastUpdateStatus":"Successful""#))
    #expect(text.contains(#""LastModified":"1970-01-01T00:00:00.000+0000""#))
    #expect(ByteBuffer(string: text).jsonProblem() == nil)
    var listed = JSONWriter()
    current.writeListed(into: &listed)
    #expect(!String(buffer: listed.buffer).contains("State"))
  }
}
