import Configuration
import Testing

@Suite struct `What a file says of web pages` {
  @Test func `is read in AWS's spelling and in the file's own`() throws {
    let text = """
      host: {allowedHosts: [kelvin.internal, "[fd00::2]", 10.1.2.3]}
      functions:
        f:
          command: [a]
          cors:
            AllowOrigins: [https://www.example.com, "http://localhost:5173"]
            allowMethods: GET
            AllowHeaders: ["*"]
            exposeHeaders: [X-Total]
            AllowCredentials: true
            MaxAge: 300
        g: {command: [a], cors: {AllowOrigins: "*"}}
        h: {command: [a]}
      """
    let reading = reading(text)
    #expect(reading.problems == [])
    let configuration = reading.configuration
    #expect(configuration.host.allowedHosts == ["kelvin.internal", "[fd00::2]", "10.1.2.3"])
    var expected = CORSSettings()
    expected.allowOrigins = ["https://www.example.com", "http://localhost:5173"]
    expected.allowMethods = ["GET"]
    expected.allowHeaders = ["*"]
    expected.exposeHeaders = ["X-Total"]
    expected.allowCredentials = true
    expected.maxAge = 300
    var open = CORSSettings()
    open.allowOrigins = ["*"]
    #expect(configuration.functions.map(\.cors) == [expected, open, nil])
  }

  @Test(
    arguments: [
      ("host: {allowedHosts: [\"kelvin:80\"]}", #""kelvin:80" is not a valid item of allowedHosts"#),
      ("host: {allowedHosts: [\"*\"]}", #""*" is not a valid item of allowedHosts"#),
      ("host: {allowedHosts: {a: b}}", "allowedHosts must be a list of strings, but is a mapping."),
      ("AllowOrigins: [www.example.com]", #""www.example.com" is not a valid item of AllowOrigins; write an origin"#),
      ("AllowOrigins: [\"http://a.test/\"]", "is not a valid item of AllowOrigins"),
      ("AllowOrigins: [\"null\"]", "is not a valid item of AllowOrigins"),
      ("AllowMethods: [OPTIONS]", #""OPTIONS" is not a valid item of AllowMethods; write one of GET, PUT"#),
      ("AllowHeaders: [[a]]", "Each item of AllowHeaders must be a string"),
      ("allowHeaders: [\"a b\"]", #""a b" is not a valid item of allowHeaders"#),
      ("MaxAge: 86401", "MaxAge must be a whole number from 0 to 86400"),
      ("AllowCredentials: yes", "AllowCredentials must be true or false"),
      ("allowOrigin: [\"*\"]", "did you mean allowOrigins?"),
      ("maxAge: 1, MaxAge: 2", "maxAge and MaxAge are the same key; keep one."),
      (
        "AllowOrigins: [\(Array(repeating: "\"*\"", count: 101).joined(separator: ","))]",
        "AllowOrigins has 101 items; at most 100 are allowed."
      ),
    ])
  func `is told with what to write if it is wrong`(_ text: String, _ sentence: String) {
    let whole = text.hasPrefix("host") ? text : "functions: {f: {command: [a], cors: {\(text)}}}"
    let problems = reading(whole).problems
    #expect(problems.count == 1 && problems.first?.message.contains(sentence) == true, "\(problems)")
  }
}
