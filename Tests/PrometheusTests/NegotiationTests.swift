import Prometheus
import Testing

@Suite struct `Negotiation tests` {
  struct AcceptCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var accept: [String]
    var format: ExpositionFormat
    /// `nil`: the plain one of the format.
    var contentType: String?

    init(_ description: String, _ accept: String..., gives format: ExpositionFormat, contentType: String? = nil) {
      testDescription = description
      self.accept = accept
      self.format = format
      self.contentType = contentType
    }
  }

  private static let proto =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
  private static let escaped = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"

  static let scrapers = [
    AcceptCase(
      "Prometheus 2.42",
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", gives: .openMetrics),
    AcceptCase(
      "Prometheus 2.42 with native histograms",
      proto + ",application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,"
        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", gives: .protobuf),
    AcceptCase(
      "Prometheus 2.49",
      "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
        + "text/plain;version=0.0.4;q=0.3,*/*;q=2", gives: .openMetrics),
    AcceptCase(
      "Prometheus 2.53",
      "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
        + "text/plain;version=0.0.4;q=0.3,*/*;q=0.2", gives: .openMetrics),
    AcceptCase(
      "Prometheus 2.55",
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
        + "application/openmetrics-text;version=0.0.1;escaping=allow-utf-8;q=0.4,"
        + "text/plain;version=0.0.4;escaping=allow-utf-8;q=0.3,*/*;escaping=allow-utf-8;q=0.2", gives: .openMetrics,
      contentType: escaped),
    AcceptCase(
      "Prometheus 3.0",
      "application/openmetrics-text;version=1.0.0;q=0.6;escaping=allow-utf-8,"
        + "application/openmetrics-text;version=0.0.1;q=0.5;escaping=allow-utf-8,"
        + "text/plain;version=1.0.0;q=0.4;escaping=allow-utf-8,text/plain;version=0.0.4;q=0.3;escaping=allow-utf-8,"
        + "*/*;q=0.2;escaping=allow-utf-8", gives: .openMetrics, contentType: escaped),
    AcceptCase(
      "Prometheus 3.4 to 3.14",
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
        + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      gives: .openMetrics, contentType: escaped),
    AcceptCase(
      "Prometheus 3 with native histograms",
      proto + ";q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
        + "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
        + "text/plain;version=0.0.4;q=0.2,*/*;q=0.1", gives: .protobuf),
    AcceptCase("VictoriaMetrics 1.79", "text/plain;version=0.0.4;q=1,*/*;q=0.1", gives: .text),
    AcceptCase(
      "a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", gives: .text),
    AcceptCase("curl", "*/*", gives: .text),
  ]

  static let details = [
    AcceptCase("no field", gives: .text),
    AcceptCase("an empty field", "", gives: .text),
    AcceptCase("OpenMetrics without a version", "application/openmetrics-text", gives: .openMetrics),
    AcceptCase(
      "the old version alone", "application/openmetrics-text; version=0.0.1", gives: .openMetrics,
      contentType: "application/openmetrics-text; version=0.0.1; charset=utf-8"),
    AcceptCase("a version that is not there yet", "application/openmetrics-text;version=2.0.0", gives: .text),
    AcceptCase("a text version that is not ours", "text/plain;version=1.0.0", gives: .text),
    AcceptCase(
      "blanks, capitals and quotes",
      "  Application/OpenMetrics-Text ;\tVersion=\"1.0.0\" ; CHARSET=utf-8 ; Q=0.5 , text/plain;q=0.4",
      gives: .openMetrics),
    AcceptCase(
      "a comma and a semicolon in quotes", "text/plain;x=\"a,application/openmetrics-text;q=1\";q=0.1,\(proto);q=0.2",
      gives: .protobuf),
    AcceptCase("an unknown escaping", "application/openmetrics-text;escaping=evil", gives: .openMetrics),
    AcceptCase("several fields", "text/plain;q=0.1", "application/openmetrics-text;q=0.2", gives: .openMetrics),
    AcceptCase("of equal weights the first", "text/plain,application/openmetrics-text", gives: .text),
    AcceptCase(
      "a weight above 1 is 1", "text/plain;q=1,application/openmetrics-text;q=7", gives: .text),
    AcceptCase("a weight above 1 wins over less", "text/plain;q=0.9,\(proto);q=7", gives: .protobuf),
    AcceptCase("a weight of 0 is a refusal", "application/openmetrics-text;q=0,text/plain;q=0.001", gives: .text),
    AcceptCase("all refused", "application/openmetrics-text;q=0,text/plain;q=0", gives: .text),
    AcceptCase("weights that are none", "application/openmetrics-text;q=nan,\(proto);q=-1", gives: .text),
    AcceptCase("weights that are none either", "application/openmetrics-text;q=inf,\(proto);q=", gives: .text),
    AcceptCase(
      "protobuf of another message", "application/vnd.google.protobuf;proto=a.B;encoding=delimited", gives: .text),
    AcceptCase(
      "protobuf in another encoding",
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text", gives: .text),
    AcceptCase("protobuf of no message", "application/vnd.google.protobuf", gives: .text),
    AcceptCase("a quote that does not end", "text/plain;a=\",application/openmetrics-text", gives: .text),
    AcceptCase("nonsense", ",;,;;=,q=1;;,/,\"", gives: .text),
  ]

  @Test(arguments: scrapers + details)
  func `a scraper gets the format that it likes best`(_ given: AcceptCase) {
    let negotiated = NegotiatedFormat(accept: given.accept)
    #expect(negotiated.format == given.format)
    #expect(negotiated.contentType == given.contentType ?? given.format.contentType)
  }

  @Test func `the types are those that Prometheus knows`() {
    #expect(ExpositionFormat.text.contentType == "text/plain; version=0.0.4; charset=utf-8")
    #expect(
      ExpositionFormat.openMetrics.contentType == "application/openmetrics-text; version=1.0.0; charset=utf-8")
    #expect(
      ExpositionFormat.protobuf.contentType
        == "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited")
  }
}
