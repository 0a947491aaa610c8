import Text
import Digests
package import Lifecycle

/// AWS's signature version 4, as all services except S3 expect it. Pure.
///
/// AWS's page "Create a signed request" is the rule; what it leaves open (which headers, how paths are brought into form) is
/// as botocore does it.
package enum SignatureV4 {
  /// What is signed of a request.
  package struct Request: Sendable, Equatable {
    /// In any case; it is signed in capital letters.
    package var method: String
    /// As it is sent, percent-encoded; empty stands for `/`.
    package var path: String
    /// Not encoded, in any order.
    package var query: [QueryItem]
    /// With `Host`. A name may be there more than once.
    package var headers: [Header]
    /// All of it: a signature covers its digest.
    package var body: [UInt8]

    /// Makes a request; `headers` has at least `Host`.
    package init(method: String, path: String, query: [QueryItem] = [], headers: [Header], body: [UInt8] = []) {
      self.method = method
      self.path = path
      self.query = query
      self.headers = headers
      self.body = body
    }
  }

  /// What a signature is good for.
  package struct Scope: Sendable, Equatable {
    /// Such as `eu-west-1`.
    package var region: String
    /// AWS's name of the service, as it stands in its signatures: `lambda`.
    package var service: String

    /// Makes the scope of requests to one service in one region.
    package init(region: String, service: String = "lambda") {
      self.region = region
      self.service = service
    }
  }

  /// The headers that a request needs beside its own: `X-Amz-Date`, `X-Amz-Security-Token` if the credentials have one, and
  /// `Authorization`.
  ///
  /// - Parameter time: The instant of signing; AWS refuses one that is more than 5 minutes off.
  package static func headers(
    for request: Request, credentials: AWSCredentials, scope: Scope, time: Timestamp
  ) -> [Header] {
    let stamp = CalendarText.basic(nanoseconds: time.nanoseconds)
    var added = [Header("X-Amz-Date", stamp)]
    if let token = credentials.sessionToken { added.append(Header("X-Amz-Security-Token", token)) }
    var request = request
    request.headers.removeAll { header in added.contains { $0.name.lowercased() == header.name.lowercased() } }
    request.headers += added
    let scopeText = "\(stamp.prefix(8))/\(scope.region)/\(scope.service)/aws4_request"
    let canonical = canonicalRequest(request)
    let toSign = "AWS4-HMAC-SHA256\n\(stamp)\n\(scopeText)\n\(Hexadecimal.text(SHA256.digest(Array(canonical.utf8))))"
    let key = signingKey(credentials.secretAccessKey, day: String(stamp.prefix(8)), scope)
    let signature = Hexadecimal.text(code(toSign, key))
    let authorization =
      "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scopeText), "
      + "SignedHeaders=\(signedHeaders(request.headers)), Signature=\(signature)"
    return added + [Header("Authorization", authorization)]
  }

  /// The form of a request that its signature is made of.
  static func canonicalRequest(_ request: Request) -> String {
    let query = request.query
      .map { (name: PercentEncoding.encoded($0.name), value: PercentEncoding.encoded($0.value)) }
      // By bytes: Swift compares texts by what they mean. Encoded, all of them are ASCII.
      .sorted { Array($0.name.utf8) == Array($1.name.utf8) ? isBefore($0.value, $1.value) : isBefore($0.name, $1.name) }
      .map { "\($0.name)=\($0.value)" }
      .joined(separator: "&")
    return [
      request.method.uppercased(), canonicalPath(request.path), query, canonicalHeaders(request.headers),
      signedHeaders(request.headers), Hexadecimal.text(SHA256.digest(request.body)),
    ].joined(separator: "\n")
  }

  /// Dot segments and repeated slashes are taken out, and what is left is encoded once more.
  private static func canonicalPath(_ path: String) -> String {
    guard !path.isEmpty else { return "/" }
    var segments: [Substring] = []
    for segment in path.split(separator: "/", omittingEmptySubsequences: true) where segment != "." {
      if segment == ".." { _ = segments.popLast() } else { segments.append(segment) }
    }
    let isFolder = path.utf8.last == UInt8(ascii: "/") && !segments.isEmpty
    return "/" + segments.map { PercentEncoding.encoded($0) }.joined(separator: "/") + (isFolder ? "/" : "")
  }

  /// A line for each name: lower case, sorted, with the values of all headers of that name.
  private static func canonicalHeaders(_ headers: [Header]) -> String {
    signedNames(headers).map { name in
      let values = headers.filter { $0.name.lowercased() == name }.map { trimmed($0.value) }
      return "\(name):\(values.joined(separator: ","))\n"
    }.joined()
  }

  private static func signedHeaders(_ headers: [Header]) -> String { signedNames(headers).joined(separator: ";") }

  private static func signedNames(_ headers: [Header]) -> [String] {
    // What a proxy may change, or what is not a header of the request's own, is not signed; the list is botocore's.
    let unsigned: Set<String> = ["expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"]
    return Set(headers.map { $0.name.lowercased() }).subtracting(unsigned).sorted(by: isBefore)
  }

  /// Without blanks at the ends, and with one for each run of them inside.
  private static func trimmed(_ value: String) -> String {
    value.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
  }

  private static func isBefore(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  private static func signingKey(_ secret: String, day: String, _ scope: Scope) -> [UInt8] {
    var key = Array("AWS4\(secret)".utf8)
    for part in [day, scope.region, scope.service, "aws4_request"] { key = code(part, key) }
    return key
  }

  private static func code(_ text: String, _ key: [UInt8]) -> [UInt8] {
    SHA256.authenticationCode(for: Array(text.utf8), key: key)
  }
}

/// One header of a request.
package struct Header: Hashable, Sendable {
  /// Case does not matter, and is kept where it is sent.
  package var name: String
  /// Without line breaks; blanks around it do not count in a signature.
  package var value: String

  /// Makes a header; nothing is checked.
  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// One parameter of a query, not encoded.
package struct QueryItem: Hashable, Sendable {
  /// Not encoded.
  package var name: String
  /// Not encoded; empty for a parameter that is a name alone.
  package var value: String

  /// Makes a parameter of texts that are not encoded.
  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}
