import ArgumentParser

/// A number of concurrent executions, or none of that kind.
enum ConcurrencyAmount: Hashable, ExpressibleByArgument {
  case count(Int64)
  case off

  init?(argument: String) {
    if argument == "off" {
      self = .off
    } else {
      // Digits alone: a sign would be an option, or a slip.
      guard argument.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
        let count = Int32(argument)
      else { return nil }
      self = .count(Int64(count))
    }
  }

  var defaultValueDescription: String { "" }
}
