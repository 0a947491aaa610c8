import Lifecycle
import TestSupport
import Testing

@testable import Windows

@Suite struct `Tally number tests` {
  @Test func `every number of a tally has a row, and every row a number`() {
    // Two properties of a tally are the boxes with those of its instances and of HTTP.
    let own = Mirror(reflecting: Tally()).children.count - 2
    let boxed = [Mirror(reflecting: InstanceTally.empty), Mirror(reflecting: HTTPTally.empty)].map(\.children.count)
    let properties = own + boxed[0] + boxed[1]
    #expect(TallyNumber.all.count == properties)
    #expect(Set(TallyNumber.all.map(\.field)) == Set(TallyNumber.Field.allCases))
    #expect(TallyNumber.stored.map(\.field) == TallyNumber.Field.allCases)
  }

  @Test func `no two numbers share a name`() {
    let members = TallyNumber.all.flatMap { [$0.member] + [$0.partsMember].compactMap { $0 } }
    #expect(Set(members).count == members.count)
    let columns = TallyNumber.all.flatMap(\.columns)
    #expect(Set(columns.map(\.place)).count == columns.count)
    #expect(Set(columns.map(\.field)).count == columns.count)
    #expect(Set(columns.map(\.name)).count == columns.count)
    let metrics = TallyNumber.all.compactMap(\.metric?.name)
    #expect(Set(metrics).count == metrics.count)
  }

  @Test(arguments: TallyNumber.all)
  func `what has words says what they are, and what is distributed where it is cut`(_ number: TallyNumber) {
    let (hasWords, isDistribution) =
      switch number.content {
      case .words: (true, false)
      case .distribution: (false, true)
      case .count, .time: (false, false)
      }
    #expect((number.partsMember != nil) == hasWords)
    if let metric = number.metric {
      #expect((metric.label != nil) == hasWords)
      #expect((metric.bounds != nil) == isDistribution)
    }
    let values = number.columns.map(\.value)
    #expect(isDistribution || values.allSatisfy { $0 == .count })
  }

  @Test(arguments: TallyNumber.all)
  func `it adds up, and nothing else changes`(_ number: TallyNumber) {
    var (three, four, seven) = (Tally(), Tally(), Tally())
    number.add(3, to: &three)
    number.add(4, to: &four)
    number.add(3, to: &seven)
    number.add(4, to: &seven)
    var merged = three
    merged.merge(four)
    #expect(merged == seven)
    #expect(number.total(of: merged) == number.total(3) + number.total(4))
    var backwards = four
    backwards.merge(three)
    #expect(backwards == merged)
    merged.merge(Tally())
    #expect(merged == seven)
    for other in TallyNumber.all where other.field != number.field {
      #expect(other.total(of: merged) == 0, "\(other.field)")
      #expect(other.isEqual(merged, Tally()), "\(other.field)")
    }
    #expect(merged != Tally() && three != four && !number.isEqual(three, four))
  }

  @Test func `numbers of instances take room only where an instance did something`() {
    var tally = Tally()
    var ofInvocations = Tally()
    ofInvocations.errors = 1
    tally.merge(ofInvocations)
    #expect(tally.instancesIfAny == nil)
    var ofInstances = Tally()
    ofInstances.warmUpFailures = 1
    tally.merge(ofInstances)
    #expect(tally.instancesIfAny != nil)
  }

  @Test(arguments: TallyNumber.all)
  func `a snapshot has it among the totals of the function at the position`(_ number: TallyNumber) {
    var functions = ["a", "b"].map { FunctionSnapshot(function: FunctionID($0), firstSeen: Timestamp(seconds: 0)) }
    number.add(3, to: &functions[1].totals)
    let span = functions.span
    for (position, expected) in [(0, 0), (1, number.total(3))] as [(Int, Int128)] {
      let found: Int128 =
        switch number.content {
        case .count(_, let read): Int128(read(span, position))
        case .words(let names, _, let read): names.indices.reduce(0) { $0 + Int128(read(span, position)[$1]) }
        case .time(_, let read): read(span, position)
        case .distribution(_, _, let read): Int128(read(span, position).count)
        }
      #expect(found == expected)
    }
  }
}
