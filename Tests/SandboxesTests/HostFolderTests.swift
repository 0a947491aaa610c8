import CLinux
import Glibc
import Synchronization
import Testing

@testable import Sandboxes

/// Folders that the host removes or measures lie where others may write: what is planted there leads nowhere.
@Suite struct `A folder that is removed` {
  @Test func `is emptied, links and all, and what links name stays`() throws {
    try Place.run { place in
      try place.makeTarget()
      place.make("victim")
      place.make("victim/a")
      place.link("victim/link-to-folder", to: place.path("target"))
      place.link("victim/a/link-to-file", to: place.path("target/kept"))
      place.link("victim/dangling", to: "/no/such/place")
      #expect(unsafe mkfifo(place.path("victim/pipe"), 0o600) == 0)
      place.write("victim/a/file")
      #expect(place.empty("victim"))
      #expect(SystemFile.names(in: place.path("victim")).isEmpty)
      place.expectTarget()
    }
  }

  @Test func `may be deeper than there are descriptors, and deeper than any path`() throws {
    // In memory, because some file systems take milliseconds for each folder that is removed.
    try Place.run(in: "/dev/shm") { place in
      place.make("victim")
      var folder = place.open("victim")
      for _ in 0..<10_000 {
        #expect(unsafe mkdirat(folder, "a-name-of-some-length", 0o700) == 0)
        let below = unsafe clinux_open_folder(folder, "a-name-of-some-length")
        close(folder)
        folder = below
      }
      close(folder)
      // Measured as well, with one descriptor at a time.
      let victim = place.open("victim")
      let size = FolderSize.of(victim, bytesMax: .max, entriesMax: 20_000)
      close(victim)
      #expect(size.isWhole && size.entries == 10_000)
      #expect(place.empty("victim"))
      #expect(SystemFile.names(in: place.path("victim")).isEmpty)
    }
  }

  @Test func `is emptied although its folders are closed to their owner`() throws {
    try Place.run { place in
      place.make("victim")
      place.make("victim/closed")
      place.make("victim/closed/below")
      place.write("victim/closed/below/file")
      for name in ["victim/closed/below", "victim/closed"] { #expect(unsafe chmod(place.path(name), 0) == 0) }
      #expect(place.empty("victim"))
    }
  }

  /// The attack with which a removal by path is led out of its folder: a folder is exchanged for a link between the look and the step.
  @Test func `leads nowhere while folders are exchanged for links`() throws {
    try Place.run { place in
      try place.makeTarget()
      place.make("victim")
      place.make("outside")
      for number in 0..<200 {
        place.make("victim/\(number)")
        for name in ["kept", "below"] { place.write("victim/\(number)/\(name)") }
      }
      let exchanger = try Exchanger(place)
      _ = place.empty("victim")
      exchanger.stop()
      #expect(place.empty("victim"))
      place.expectTarget()
    }
  }

  @Test func `is left where it is another user's`() throws {
    try Place.run { place in
      guard geteuid() == 0 else { return }
      place.make("victim")
      place.write("victim/mine")
      place.write("victim/theirs")
      #expect(unsafe chown(place.path("victim/theirs"), 65_534, 65_534) == 0)
      let victim = place.open("victim")
      defer { close(victim) }
      var remover = FolderRemover(victim, owner: geteuid())
      let isEmpty = remover.empty()
      #expect(!isEmpty)
      #expect(remover.obstacle == "theirs belongs to user 65534")
      #expect(SystemFile.names(in: place.path("victim")) == ["theirs"])
    }
  }

  @Test func `keeps what is mounted in it`() throws {
    try Place.run { place in
      try place.makeTarget()
      place.make("victim")
      place.make("victim/mounted")
      // The same file system, so that its number tells nothing.
      guard unsafe mount(place.path("target"), place.path("victim/mounted"), nil, UInt(MS_BIND), nil) == 0 else {
        return
      }
      defer { unsafe _ = umount2(place.path("victim/mounted"), Int32(MNT_DETACH)) }
      #expect(!place.empty("victim"))
      place.expectTarget()
    }
  }

  @Test func `takes no longer than it may`() throws {
    try Place.run { place in
      place.make("victim")
      place.write("victim/file")
      let victim = place.open("victim")
      defer { close(victim) }
      var remover = FolderRemover(victim, within: .zero)
      let isEmpty = remover.empty()
      #expect(!isEmpty)
      #expect(remover.obstacle == "there is more than can be removed in time")
    }
  }
}

@Suite struct `The folder of a host` {
  @Test func `is this user's alone, locked, and gone with the host`() throws {
    try Place.run { place in
      let folder = HostFolder(in: place.folder)
      let sandbox = try folder.makeFolder("1")
      let name = try #require(SystemFile.names(in: place.folder).first)
      #expect(HostMark.isOne(name))
      var status = stat()
      #expect(unsafe stat(place.path(name), &status) == 0 && status.st_mode & 0o777 == 0o700)
      // Another host, however it counts processes.
      #expect(HostFolder.removeStale(in: place.folder).isEmpty)
      place.write("\(name)/1/file")
      #expect(folder.remove(sandbox) == nil)
      #expect(SystemFile.names(in: place.path(name)).isEmpty)
      #expect(folder.remove() == nil)
      #expect(SystemFile.names(in: place.folder).isEmpty)
    }
  }

  @Test func `is removed by the next host if its own was killed`() throws {
    try Place.run { place in
      let name = HostMark.random()
      place.make(name)
      place.write("\(name)/file")
      #expect(HostFolder.removeStale(in: place.folder).isEmpty)
      #expect(SystemFile.names(in: place.folder).isEmpty)
    }
  }

  @Test func `is made again after it was taken away`() throws {
    try Place.run { place in
      let folder = HostFolder(in: place.folder)
      _ = try folder.makeFolder("1")
      let name = try #require(SystemFile.names(in: place.folder).first)
      removeFolder(place.path(name))
      let again = try folder.makeFolder("2")
      #expect(unsafe access(again.path, F_OK) == 0)
      #expect(folder.remove(again) == nil && folder.remove() == nil)
    }
  }

  @Test func `is not looked for behind links, nor taken from others, and that is told`() throws {
    try Place.run { place in
      try place.makeTarget()
      let (link, open) = (HostMark.random(), HostMark.random())
      place.link(link, to: place.path("target"))
      place.make(open)
      #expect(unsafe chmod(place.path(open), 0o777) == 0)
      let told = HostFolder.removeStale(in: place.folder)
      #expect(
        Set(told) == [
          "\(place.path(link)) is left alone: it is not Kelvin's folder.",
          "\(place.path(open)) is left alone: it belongs to another user, or is open to others.",
        ])
      place.expectTarget()
    }
  }

  @Test func `with a link in a sandbox's place loses the link and nothing else`() throws {
    try Place.run { place in
      try place.makeTarget()
      let folder = HostFolder(in: place.folder)
      let sandbox = try folder.makeFolder("1")
      #expect(unsafe rename(sandbox.path, place.path("elsewhere")) == 0)
      #expect(unsafe symlink(place.path("target"), sandbox.path) == 0)
      place.write("elsewhere/file")
      #expect(folder.remove(sandbox) == nil)
      place.expectTarget()
      // What it wrote goes wherever it put it: that is the folder that it was given.
      #expect(SystemFile.names(in: place.path("elsewhere")).isEmpty)
      #expect(folder.remove() == nil)
    }
  }

  @Test func `is not made where everybody may rename it`() throws {
    try Place.run { place in
      #expect(unsafe chmod(place.folder, 0o777) == 0)
      #expect(throws: ProcessError.self) { try HostFolder(in: place.folder).makeFolder("1") }
      #expect(unsafe chmod(place.folder, 0o1777) == 0)
      let folder = HostFolder(in: place.folder)
      let made = try folder.makeFolder("1")
      #expect(folder.remove(made) == nil && folder.remove() == nil)
    }
  }
}

@Suite struct `The size of a folder` {
  @Test func `counts a file with two names once, and no link`() throws {
    try Place.run { place in
      try place.makeTarget()
      place.make("victim")
      place.write("victim/file", bytes: 100_000)
      #expect(unsafe Glibc.link(place.path("victim/file"), place.path("victim/same")) == 0)
      place.link("victim/link", to: "/")
      let victim = place.open("victim")
      defer { close(victim) }
      let size = FolderSize.of(victim, bytesMax: .max, entriesMax: 100)
      #expect(size.isWhole && size.entries == 3)
      #expect((100_000..<150_000).contains(size.bytes))
    }
  }

  @Test func `is known to be too much without a look at all of it`() throws {
    try Place.run { place in
      place.make("victim")
      for number in 0..<100 { place.write("victim/\(number)") }
      let victim = place.open("victim")
      defer { close(victim) }
      let size = FolderSize.of(victim, bytesMax: .max, entriesMax: 10)
      #expect(!size.isWhole && size.entries == 11)
    }
  }
}

/// A folder of a test's own.
struct Place {
  let folder: String

  static func run(in base: String = "/tmp", _ body: (Place) throws -> Void) throws {
    let place = Place(folder: "\(base)/kelvin-test-\(UInt64.random(in: 0 ..< .max))")
    #expect(unsafe mkdir(place.folder, 0o700) == 0)
    defer { removeFolder(place.folder) }
    try body(place)
  }

  func path(_ name: String) -> String { "\(folder)/\(name)" }
  func make(_ name: String) { #expect(unsafe mkdir(path(name), 0o700) == 0) }
  func link(_ name: String, to target: String) { #expect(unsafe symlink(target, path(name)) == 0) }
  func open(_ name: String) -> Int32 { unsafe Glibc.open(path(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC) }

  func write(_ name: String, bytes: Int = 1) {
    let file = unsafe Glibc.open(path(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    let content = [UInt8](repeating: 120, count: bytes)
    #expect(unsafe Glibc.write(file, content, bytes) == bytes)
    close(file)
  }

  func empty(_ name: String) -> Bool {
    let folder = open(name)
    defer { close(folder) }
    var remover = FolderRemover(folder)
    return remover.empty()
  }

  /// What no removal may reach.
  func makeTarget() throws {
    make("target")
    write("target/kept")
    make("target/below")
    write("target/below/kept")
  }

  func expectTarget() {
    for name in ["target/kept", "target/below/kept"] {
      #expect(unsafe access(path(name), F_OK) == 0, "\(name) is gone")
    }
  }
}

/// Exchanges a folder that is removed for a link, as fast as it can, on a thread of its own.
private final class Exchanger: Sendable {
  private let stops = Atomic(false)
  private let ended = Atomic(false)

  init(_ place: Place) throws {
    var thread = pthread_t()
    let work = Work(place: place, exchanger: self)
    let context = unsafe Unmanaged.passRetained(work).toOpaque()
    let code = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context)
    #expect(code == 0)
    pthread_detach(thread)
  }

  func stop() {
    stops.store(true, ordering: .relaxed)
    while !ended.load(ordering: .acquiring) { usleep(100) }
  }

  private final class Work {
    let place: Place
    let exchanger: Exchanger

    init(place: Place, exchanger: Exchanger) {
      self.place = place
      self.exchanger = exchanger
    }

    func run() {
      while !exchanger.stops.load(ordering: .relaxed) {
        for number in 0..<200 {
          let (victim, kept) = (place.path("victim/\(number)"), place.path("outside/\(number)"))
          guard unsafe rename(victim, kept) == 0 else { continue }
          unsafe _ = symlink(place.path("target"), victim)
          unsafe _ = unlink(victim)
          unsafe _ = rename(kept, victim)
        }
      }
      exchanger.ended.store(true, ordering: .releasing)
    }
  }
}
