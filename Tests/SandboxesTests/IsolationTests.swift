import CLinux
import Glibc
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import Sandboxes

/// What sandboxes promise, with real programs; also where nothing needs rights.
@Suite(.serialized, .timeLimit(.minutes(3))) struct `Isolation tests` {
  @Test(arguments: Isolation.Mode.allCases)
  func `a program that takes too much memory ends its sandbox and no other`(_ mode: Isolation.Mode) async throws {
    try await ProcessBench.run(mode) { bench in
      let (_, other) = try await bench.start(["sleep", TestPrograms.uniqueSleep()])
      let program = "x = []\nwhile True: x.append(bytearray(1 << 20))"
      let record = try await bench.run(program, memoryBytes: 64 << 20)
      #expect(record.exit?.status == .outOfMemory)
      #expect(record.summary?.isOutOfMemory == true)
      #expect(try #require(record.summary).memoryUsedBytes > 60 << 20)
      #expect(other.exit == nil)
    }
  }

  @Test(arguments: Isolation.Mode.allCases)
  func `children count, and the sandbox ends with the one that takes too much`(_ mode: Isolation.Mode) async throws {
    try await ProcessBench.run(mode) { bench in
      let program = """
        import os, time
        for _ in range(4):
            if os.fork() == 0:
                x = bytearray(os.urandom(1 << 20) * 40)
                time.sleep(1000)
        time.sleep(1000)
        """
      let record = try await bench.run(program, memoryBytes: 96 << 20)
      #expect(record.exit?.status == .outOfMemory)
    }
  }

  @Test(arguments: Isolation.Mode.allCases)
  func `what forks share counts once`(_ mode: Isolation.Mode) async throws {
    try await ProcessBench.run(mode) { bench in
      let program = """
        import os, time
        x = bytearray(os.urandom(1 << 20) * 60)
        for _ in range(4):
            if os.fork() == 0:
                time.sleep(1)
                os._exit(0)
        time.sleep(1.2)
        """
      let record = try await bench.run(program, memoryBytes: 128 << 20)
      #expect(record.exit?.status == .exited(0))
    }
  }

  @Test func `a full /tmp is ENOSPC at its size, for this sandbox alone, and is no memory`() async throws {
    try await ProcessBench.run { bench in
      guard bench.keeper.isolation.storage == .fileSystem else { return }
      // The pause lets the host look at what is written.
      let program = """
        import os, time
        piece, count = b"x" * (1 << 20), 0
        try:
            with open("/tmp/full", "wb", buffering=0) as file:
                while True: count += file.write(piece)
        except OSError as error:
            print(error.errno, count, flush=True)
        time.sleep(0.5)
        os.remove("/tmp/full")
        print(os.listdir("/tmp"))
        """
      let record = try await bench.run(program, memoryBytes: 64 << 20, storageBytes: 256 << 20)
      #expect(record.lines == ["\(ENOSPC) \(256 << 20)", "[]"])
      #expect(record.exit?.status == .exited(0))
      #expect(try #require(record.summary).memoryUsedBytes < 64 << 20)
    }
  }

  @Test func `memory beside a full /tmp is limited all the same`() async throws {
    try await ProcessBench.run { bench in
      let program = """
        import os, tempfile, time
        with open(os.path.join(tempfile.gettempdir(), "much"), "wb") as file: file.write(b"x" * (100 << 20))
        x = [bytearray(1 << 20) for _ in range(90)]
        time.sleep(1000)
        """
      let record = try await bench.run(program, memoryBytes: 64 << 20, storageBytes: 256 << 20)
      #expect(record.exit?.status == .outOfMemory)
    }
  }

  @Test func `too many temporary files in a folder end the sandbox, and the folder goes with it`() async throws {
    try await ProcessBench.run(.none) { bench in
      let program = """
        import tempfile, time
        print(tempfile.gettempdir(), flush=True)
        open(tempfile.gettempdir() + "/much", "wb").write(b"x" * (40 << 20))
        time.sleep(1000)
        """
      let record = try await bench.run(program, storageBytes: 20 << 20)
      #expect(record.summary?.isOutOfStorage == true)
      #expect(record.exit?.status == .signaled(SIGKILL))
      let folder = try #require(record.lines.first)
      await eventually { unsafe access(folder, F_OK) != 0 }
    }
  }

  @Test func `a program that lies below /tmp works, and sees no neighbours`() async throws {
    let folder = "/tmp/kelvin-test-\(UInt64.random(in: 0 ..< .max))"
    let neighbour = folder + "-neighbour"
    defer { for path in [folder, neighbour] { removeFolder(path) } }
    #expect(unsafe mkdir(folder, 0o755) == 0 && mkdir(neighbour, 0o755) == 0)
    #expect(unsafe symlink("/bin/ls", folder + "/program") == 0)
    try await ProcessBench.run { bench in
      let specification = ProcessSpecification(
        command: [folder + "/program", "/tmp"], environment: testEnvironment, directory: folder)
      let (_, record) = try await bench.start(specification)
      await eventually { record.exit != nil }
      #expect(record.exit?.status == .exited(0))
      guard bench.keeper.isolation.storage == .fileSystem else { return }
      #expect(record.lines == [String(folder.dropFirst("/tmp/".count))])
    }
  }

  @Test(arguments: Isolation.Mode.allCases)
  func `a frozen sandbox stands still until it is thawed`(_ mode: Isolation.Mode) async throws {
    try await ProcessBench.run(mode) { bench in
      let sandbox = try await bench.makeSandbox()
      let record = ProcessRecord()
      _ = try await bench.launch(["sh", "-c", "while :; do echo tick; sleep 0.01; done"], in: sandbox, record)
      await eventually { record.lines.count > 2 }
      bench.keeper.freeze(sandbox)
      // Frozen: sooner or later nothing more comes for a while.
      var before = -1
      await eventually {
        usleep(300_000)
        defer { before = record.lines.count }
        return before == record.lines.count
      }
      let frozen = record.lines.count
      bench.keeper.thaw(sandbox)
      await eventually { record.lines.count > frozen + 2 }
      bench.keeper.freeze(sandbox)
      bench.keeper.kill(sandbox)
      await eventually { record.exit?.status == .signaled(SIGKILL) }
    }
  }

  @Test(arguments: Isolation.Mode.allCases)
  func `a cleared sandbox has no process left, keeps its files, and starts programs again`(
    _ mode: Isolation.Mode
  ) async throws {
    try await ProcessBench.run(mode) { bench in
      let sandbox = try await bench.makeSandbox()
      let (first, second) = (ProcessRecord(), ProcessRecord())
      let sleep = TestPrograms.uniqueSleep()
      // A child with a session of its own, which no group reaches.
      let script = "echo kept > ${TMPDIR:-/tmp}/file; setsid sleep \(sleep) & sleep \(sleep)"
      _ = try await bench.launch(["sh", "-c", script], in: sandbox, first)
      await eventually { TestPrograms.isRunning(argument: sleep) }
      bench.keeper.freeze(sandbox)
      try await bench.keeper.clear(sandbox, on: bench.loop).get()
      #expect(first.exit?.status == .signaled(SIGKILL), "told before")
      await eventually { !TestPrograms.isRunning(argument: sleep) }
      _ = try await bench.launch(["sh", "-c", "cat ${TMPDIR:-/tmp}/file"], in: sandbox, second)
      await eventually { second.exit?.status == .exited(0) }
      #expect(second.lines == ["kept"])
      bench.keeper.kill(sandbox)
      await #expect(throws: ProcessError.self) { try await bench.keeper.clear(sandbox, on: bench.loop).get() }
    }
  }

  @Test func `a program has the files that AWS allows it, and cannot have more`() async throws {
    try await ProcessBench.run { bench in
      let record = try await bench.finish(["sh", "-c", "ulimit -Sn; ulimit -Hn"])
      #expect(record.lines == ["1024", "1024"])
    }
  }

  @Test func `shared memory and process ids are the sandbox's own`() async throws {
    let name = "/dev/shm/kelvin-test-\(UInt64.random(in: 0 ..< .max))"
    let file = unsafe open(name, O_CREAT | O_WRONLY, 0o600)
    #expect(file >= 0)
    close(file)
    defer { unsafe _ = unlink(name) }
    try await ProcessBench.run { bench in
      if bench.keeper.isolation.hasOwnMessages { #expect(try await bench.finish(["ls", "/dev/shm"]).lines == []) }
      guard bench.keeper.isolation.hasOwnProcesses else { return }
      let record = try await bench.finish(["sh", "-c", "kill -9 1; kill -9 -1; echo $$"])
      // What the shell says of killing nobody comes through another pipe, before or after.
      #expect(record.lines.contains("2"))
      #expect(record.exit?.status == .exited(0))
    }
  }

  @Test(arguments: Isolation.Mode.allCases)
  func `one that kills all it can ends itself alone`(_ mode: Isolation.Mode) async throws {
    try await ProcessBench.run(mode) { bench in
      let (_, other) = try await bench.start(["sleep", TestPrograms.uniqueSleep()])
      let record = try await bench.finish(["sh", "-c", "kill -9 0"])
      #expect(record.exit?.status == .signaled(SIGKILL))
      await eventually { record.summary != nil }
      #expect(record.summary?.isOutOfMemory == false)
      #expect(other.exit == nil)
    }
  }

  @Test(arguments: Isolation.Mode.allCases)
  func `a sandbox holds nothing that is the host's`(_ mode: Isolation.Mode) async throws {
    try await ProcessBench.run(mode) { bench in
      // Not marked to be closed, as are sockets of many libraries.
      var ends: [Int32] = [-1, -1]
      #expect(unsafe pipe(&ends) == 0)
      defer { close(ends[0]) }
      let sandbox = try await bench.makeSandbox()
      let record = ProcessRecord()
      _ = try await bench.launch(["sleep", TestPrograms.uniqueSleep()], in: sandbox, record)
      close(ends[1])
      _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
      var byte: UInt8 = 0
      let reader = ends[0]
      // 0 is the end: nobody holds the other end any more.
      await eventually { unsafe read(reader, &byte, 1) == 0 }
      #expect(record.exit == nil)
    }
  }

  @Test func `leaves neither groups nor descriptors nor folders, also after starts that fail`() async throws {
    for mode in Isolation.Mode.allCases {
      try await ProcessBench.run(mode) { bench in
        _ = try await bench.finish(["true"])
        let before = SystemFile.names(in: "/proc/self/fd").count
        for _ in 0..<20 {
          _ = try await bench.finish(["true"])
          _ = try? await bench.start(["/no/such/command"])  // Fails, which is the point.
          _ = try? await bench.start(ProcessSpecification(command: ["true"], environment: [:], directory: "/nowhere"))
        }
        // What other tests of this process do may come and go.
        await eventually { SystemFile.names(in: "/proc/self/fd").count <= before + 8 }
      }
      #expect(staleGroups().isEmpty)
    }
  }

  /// Groups that no host holds.
  private func staleGroups() -> [String] {
    let groups = SystemFile.text("/proc/self/cgroup") ?? ""
    let mounts = SystemFile.text("/proc/self/mountinfo") ?? ""
    let places = ["memory", "pids"].flatMap { ControlGroups.places(of: $0, groups: groups, mounts: mounts) }
    return places.flatMap { place in
      SystemFile.names(in: place.folder).filter { name in
        guard HostMark.isOne(name) else { return false }
        let folder = unsafe open("\(place.folder)/\(name)", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(folder) }
        return folder >= 0 && clinux_lock(folder) == 0
      }
    }
  }
}

extension ProcessBench {
  /// Runs a program in Python to the end of its sandbox.
  fileprivate func run(
    _ program: String, memoryBytes: Int64 = 512 << 20, storageBytes: Int64 = 64 << 20
  ) async throws -> ProcessRecord {
    let record = ProcessRecord()
    let (keeper, loop) = (keeper, loop)
    let limits = SandboxSpecification(memoryLimitBytes: memoryBytes, temporaryStorageLimitBytes: storageBytes)
    let sandbox = try await keeper.makeSandbox(limits, on: loop, onGone: { record.end($0) }).get()
    let specification = ProcessSpecification(
      command: ["python3", "-S", "-E", "-c", program], environment: testEnvironment, directory: "/")
    _ = try await keeper.launch(
      specification, in: sandbox, on: loop, onOutput: { record.take($0) },
      onExit: {
        record.end($0)
        keeper.kill(sandbox)
      }
    ).get()
    await eventually { record.summary != nil }
    return record
  }
}

@Suite struct `What is enforced now` {
  @Test func `is weaker while control groups are refused, and that is told once each way`() {
    let told = Mutex<[String]>([])
    let changes = Mutex<[Isolation.Memory]>([])
    let found = Isolation(
      memory: .controlGroup(version: 2), storage: .fileSystem, hasOwnProcesses: true, hasOwnMessages: true,
      limitsProcesses: true)
    let watch = IsolationWatch(found) { sentence in told.withLock { $0.append(sentence) } }
    watch.onChange { isolation in changes.withLock { $0.append(isolation.memory) } }
    watch.started(nil)
    #expect(watch.isolation == found)
    watch.started("no room")
    watch.started("no room")
    #expect(watch.isolation.memory == .sampling && !watch.isolation.limitsProcesses)
    #expect(watch.isolation.shortcomings.last?.hasSuffix("in instances that start now: no room") == true)
    watch.started(nil)
    #expect(watch.isolation == found)
    #expect(changes.withLock { $0 } == [.sampling, .controlGroup(version: 2)])
    #expect(told.withLock { $0.count } == 2)
  }
}

@Suite struct `Control group tests` {
  private static let mountsOne = """
    30 1 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw
    31 30 0:27 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
    32 30 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
    """

  @Test func `are found where the kernel says`() {
    let places = ControlGroups.places(groups: "4:memory:/a/b\n1:cpu:/\n0::/\n", mounts: Self.mountsOne)
    #expect(
      places == [
        .init(version: .two, folder: "/sys/fs/cgroup/unified"),
        .init(version: .one, folder: "/sys/fs/cgroup/memory/a/b"),
      ])
  }

  @Test func `are found below what a container sees as their root`() {
    let mounts = "31 30 0:27 /docker/x /sys/fs/cgroup ro - cgroup2 cgroup rw,nsdelegate\n"
    #expect(
      ControlGroups.places(groups: "0::/docker/x/y\n", mounts: mounts)
        == [.init(version: .two, folder: "/sys/fs/cgroup/y")])
    #expect(ControlGroups.places(groups: "0::/elsewhere\n", mounts: mounts).isEmpty)
  }

  @Test(arguments: ["", "x", "4:memory", "0::/", "::::", "4:memory:/a"])
  func `are nowhere if nothing says so`(_ groups: String) {
    #expect(ControlGroups.places(groups: groups, mounts: "nonsense\n1 2 3 4 5 - x\n").isEmpty)
  }

  @Test func `do not count as memory what the kernel can drop, nor /tmp`() {
    let reading = MemoryGroup.Reading(usage: 1000, usageMax: 1200, files: 700, shared: 500)
    #expect(reading.used(storage: 400) == 400)
    #expect(reading.used(storage: 0) == 800)
    #expect(reading.used(storage: 900) == 300)
    #expect(reading.notMemory(storage: 400) == 600)
  }

  @Test func `are found for each controller in its own hierarchy`() {
    let mounts = Self.mountsOne + "\n33 30 0:29 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
    #expect(
      ControlGroups.places(of: "pids", groups: "4:memory:/a\n8:pids:/b\n", mounts: mounts)
        == [.init(version: .one, folder: "/sys/fs/cgroup/pids/b")])
  }

  @Test func `have names that nobody can foresee`() {
    #expect(HostMark.random() != HostMark.random())
    #expect(HostMark.isOne(HostMark.random()))
    for name in ["kelvin", "kelvin-", "kelvin-1-2", "kelvin-" + String(repeating: "g", count: 32), "kelvin-test-1"] {
      #expect(!HostMark.isOne(name))
    }
  }

  @Test func `what of /tmp is needed`() {
    #expect(
      TemporaryFolders.kept(of: ["/tmp/a/b", "/usr/bin:/tmp/c:/tmp/a", "/tmp/", "x/tmp/y", "/tmp/../etc"])
        == ["/tmp/a", "/tmp/c"])
    #expect(TemporaryFolders.kept(of: (0..<100).map { "/tmp/\($0)" }).count == TemporaryFolders.countMax)
    #expect(TemporaryFolders.isWhole("/tmp") && !TemporaryFolders.isWhole("/tmp/a"))
  }
}
