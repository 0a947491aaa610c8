import Prometheus
import Testing

@Suite struct `Prometheus number tests` {
  struct NumberCase: Sendable {
    var value: Double
    var text: String
  }

  @Test(arguments: [
    NumberCase(value: 0.005, text: "0.005"), NumberCase(value: 0.1, text: "0.1"), NumberCase(value: 1, text: "1.0"),
    NumberCase(value: 10, text: "10.0"), NumberCase(value: 2.5, text: "2.5"), NumberCase(value: 900, text: "900.0"),
    NumberCase(value: 86_400, text: "86400.0"), NumberCase(value: 100_000, text: "100000.0"),
    NumberCase(value: 123_456.7, text: "123456.7"), NumberCase(value: 1_000_000, text: "1e+06"),
    NumberCase(value: 1_234_567.5, text: "1.2345675e+06"), NumberCase(value: 134_217_728, text: "1.34217728e+08"),
    NumberCase(value: 17_179_869_184, text: "1.7179869184e+10"), NumberCase(value: 1e16, text: "1e+16"),
    NumberCase(value: 1e100, text: "1e+100"), NumberCase(value: 1e-4, text: "0.0001"),
    NumberCase(value: 0.00012, text: "0.00012"), NumberCase(value: 1e-5, text: "1e-05"),
    NumberCase(value: 1.5e-10, text: "1.5e-10"), NumberCase(value: .leastNonzeroMagnitude, text: "5e-324"),
    NumberCase(value: .greatestFiniteMagnitude, text: "1.7976931348623157e+308"), NumberCase(value: 0, text: "0.0"),
    NumberCase(value: -0.0, text: "-0.0"), NumberCase(value: -2.5, text: "-2.5"),
    NumberCase(value: .infinity, text: "+Inf"), NumberCase(value: -.infinity, text: "-Inf"),
    NumberCase(value: .nan, text: "NaN"),
  ])
  func `bounds read as Prometheus writes them`(_ given: NumberCase) {
    #expect(PrometheusNumber.text(given.value) == given.text)
  }
}
