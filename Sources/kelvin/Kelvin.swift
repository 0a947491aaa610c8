import ArgumentParser

@main
struct Kelvin: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kelvin", abstract: "Measures how warm a serverless backend is.")
}
