import Testing

@testable import AWSClient

@Suite struct `The address of a service` {
  @Test(arguments: [
    ("http://127.0.0.1:27316", "127.0.0.1:27316", "", true),
    ("https://lambda.eu-central-1.amazonaws.com", "lambda.eu-central-1.amazonaws.com", "", false),
    ("HTTPS://h:443/a/b//", "h", "/a/b", false), ("http://h:80", "h", "", false),
    ("https://h:80/%41", "h:80", "/%41", false),
    ("http://[::1]:9", "[::1]:9", "", true), ("http://[fd00:ec2::23]", "[fd00:ec2::23]", "", false),
    ("http://localhost:1/", "localhost:1", "", true), ("http://orders.localhost", "orders.localhost", "", true),
    ("http://127.evil.example", "127.evil.example", "", false),
    ("http://localhost.example", "localhost.example", "", false),
  ])
  func `is read in parts`(_ text: String, authority: String, path: String, isLoopback: Bool) throws {
    let url = try EndpointURL(text)
    #expect(url.authority == authority)
    #expect(url.path == path)
    #expect(url.isLoopback == isLoopback)
  }

  @Test(arguments: [
    "", "h", "ftp://h", "http://", "http://user@h", "http://h:0", "http://h:70000", "http://h:", "http://h:+1",
    "http://h?q",
    "http://h/#f", "http://[::1", "http://[1.2.3.4]", "http://a b", "http://h/ü", "http://h/\r\nX: y", "http://[::1]x",
  ])
  func `has no other forms`(_ text: String) {
    #expect { try EndpointURL(text) } throws: { ($0 as? AWSClientError)?.code == .settings }
  }

  @Test(arguments: [
    ("eu-central-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn"), ("us-isob-east-1", "sc2s.sgov.gov"),
    ("us-iso-east-1", "c2s.ic.gov"), ("us-gov-west-1", "amazonaws.com"),
  ])
  func `in a region is in the domain of its partition`(_ region: String, domain: String) {
    #expect(AWSPartition.isRegionName(region))
    #expect(AWSPartition.domain(of: region) == domain)
  }

  @Test(arguments: [
    "", "-a", "a-", "EU-central-1", "eu.evil", "eu-central-1/", "a@b", String(repeating: "a", count: 64),
  ])
  func `is never made of what is no region`(_ text: String) {
    #expect(!AWSPartition.isRegionName(text))
  }
}
