import FunctionHost
import Glibc
import Lifecycle
import NIOCore
import Testing

@Suite struct ProcessKeeperTests {
  @Test(
    arguments: [
      (["true"], .exited(0)), (["sh", "-c", "exit 3"], .exited(3)), (["sh", "-c", "exit 127"], .exited(127)),
      (["sh", "-c", "kill -9 $$"], .signaled(9)), (["sh", "-c", "kill -SEGV $$"], .signaled(11)), (["cat"], .exited(0)),
    ] as [([String], ProcessExit.Status)])
  func `tells how a process ended`(_ command: [String], _ status: ProcessExit.Status) async throws {
    try await ProcessBench.run { bench in
      let record = try await bench.finish(command)
      #expect(record.exit?.status == status)
    }
  }

  @Test(
    arguments: [
      (["no-such-command"], "/", .commandNotFound), (["/no/such/command"], "/", .commandNotFound),
      (["./passwd"], "/etc", .notExecutable), (["/etc"], "/", .notExecutable),
      (["true"], "/no/such/directory", .directory),
      (["true"], "/etc/passwd", .directory), ([], "/", .invalidSpecification), ([""], "/", .invalidSpecification),
      (["true", "a\u{0}b"], "/", .invalidSpecification), (["true"], "/\u{0}", .invalidSpecification),
    ] as [([String], String, ProcessError.Code)])
  func `a start that fails is a typed error`(
    _ command: [String], _ directory: String, _ code: ProcessError.Code
  ) async throws {
    try await ProcessBench.run { bench in
      let specification = ProcessSpecification(command: command, environment: testEnvironment, directory: directory)
      let error = await #expect(throws: ProcessError.self) { _ = try await bench.start(specification) }
      #expect(error?.code == code)
      #expect(error?.message.isEmpty == false)
    }
  }

  @Test(arguments: [["": "x"], ["A=B": "x"], ["A": "x\u{0}"], ["A\u{0}": ""]])
  func `an environment that cannot be passed on is a typed error`(_ environment: [String: String]) async throws {
    try await ProcessBench.run { bench in
      let specification = ProcessSpecification(command: ["/bin/true"], environment: environment, directory: "/")
      let error = await #expect(throws: ProcessError.self) { _ = try await bench.start(specification) }
      #expect(error?.code == .invalidSpecification)
    }
  }

  @Test func `a command larger than the system takes is a typed error`() async throws {
    try await ProcessBench.run { bench in
      let error = await #expect(throws: ProcessError.self) {
        _ = try await bench.start(["true", String(repeating: "x", count: 4_000_000)])
      }
      #expect(error?.code == .invalidSpecification)
    }
  }

  @Test func `a launcher that is none is a typed error`() throws {
    for path in ["/no/such/launcher", "/etc/passwd"] {
      let error = #expect(throws: ProcessError.self) { _ = try ProcessKeeper(launcher: path) }
      #expect(error?.code == .launcher)
    }
  }

  @Test func `a process gets exactly the environment and directory that are given`() async throws {
    try await ProcessBench.run { bench in
      let environment = ["PATH": "/usr/bin:/bin", "EMPTY": "", "TEXT": "a b=c\u{fc}", "_X": "$HOME;`true`"]
      let specification = ProcessSpecification(
        command: ["python3", "-c", "import os; print(sorted(os.environb.items())); print(os.getcwd())"],
        environment: environment, directory: "/usr")
      let (_, record) = try await bench.start(specification)
      await eventually { record.exit != nil }
      let expected =
        #"[(b'EMPTY', b''), (b'PATH', b'/usr/bin:/bin'), (b'TEXT', b'a b=c\xc3\xbc'), (b'_X', b'$HOME;`true`')]"#
      // Python adds LC_CTYPE to its own environment where no locale is set.
      #expect(record.lines.map { $0.replacing("(b'LC_CTYPE', b'C.UTF-8'), ", with: "") } == [expected, "/usr"])
    }
  }

  @Test func `nothing of the host is inherited`() async throws {
    try await ProcessBench.run { bench in
      // Descriptor 3 is the directory that ls itself reads.
      #expect(try await bench.finish(["ls", "/proc/self/fd"]).lines == ["0", "1", "2", "3"])
      let signals = try await bench.finish(["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"]).lines
      #expect(signals == ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"])
      #expect(try await bench.finish(["sh", "-c", "ulimit -n"]).lines == ["1024"])
      let (process, record) = try await bench.start(["sh", "-c", "cat /proc/$$/stat"])
      await eventually { record.exit != nil }
      let fields = record.lines.first?.split(separator: " ") ?? []
      #expect(fields.count > 5 && fields[4] == "\(process.processID)", "it leads its own group")
    }
  }

  @Test func `a hundred processes at once`() async throws {
    try await ProcessBench.run { bench in
      let records = (0..<100).map { _ in ProcessRecord() }
      let futures = records.enumerated().map { index, record in
        bench.keeper.spawn(
          ProcessSpecification(
            command: ["sh", "-c", "echo \(index); exit \(index)"], environment: testEnvironment, directory: "/"),
          on: bench.loop, onOutput: { record.take($0) }, onExit: { record.end($0) })
      }
      for future in futures { _ = try await future.get() }
      for (index, record) in records.enumerated() {
        await eventually { record.exit != nil }
        #expect(record.exit?.status == .exited(Int32(index)))
        #expect(record.lines == ["\(index)"])
      }
    }
  }

  @Test func `a signal reaches the whole group`() async throws {
    try await ProcessBench.run { bench in
      for signal in [ProcessSignal.terminate, .kill] {
        let (process, record) = try await bench.start(["sh", "-c", "sh -c 'sleep 1000 & echo $!; wait' & wait"])
        await eventually { record.lines.count == 1 }
        let grandchild = try #require(record.lines.first.flatMap { Int32($0) })
        #expect(isRunning(grandchild))
        bench.keeper.signal(process, signal)
        await eventually { record.exit != nil }
        #expect(record.exit?.status == .signaled(signal == .kill ? SIGKILL : SIGTERM))
        await eventually { !isRunning(grandchild) }
        bench.keeper.signal(process, .kill)  // Too late: nothing happens.
        #expect(bench.keeper.memoryHighWater(process) == nil)
      }
    }
  }

  @Test func `what a process leaves behind in its group ends with it`() async throws {
    try await ProcessBench.run { bench in
      let record = try await bench.finish(["sh", "-c", "sleep 1000 & echo $!; exit 0"])
      #expect(record.exit?.status == .exited(0))
      let orphan = try #require(record.lines.first.flatMap { Int32($0) })
      await eventually { !isRunning(orphan) }
    }
  }

  @Test func `an instance ends when its host is killed`() async throws {
    try await ProcessBench.run { bench in
      let launcher = try testLauncher()
      let host = """
        import os, subprocess, time
        child = subprocess.Popen(["\(launcher)", "--parent", str(os.getpid()), "--directory", "/", "--", "sleep", "1000"])
        print(child.pid, flush=True)
        time.sleep(1000)
        """
      let (process, record) = try await bench.start(["python3", "-c", host])
      await eventually { record.lines.count == 1 }
      let instance = try #require(record.lines.first.flatMap { Int32($0) })
      // It has become the function: from then on only the parent-death signal can end it.
      await eventually { commandName(instance) == "sleep" }
      bench.keeper.signal(process, .kill)
      await eventually { !isRunning(instance) }
    }
  }

  @Test(
    arguments: [
      (["--parent", "1", "--directory", "/", "--", "true"], 125),
      (["--parent", "x", "--directory", "/", "--", "true"], 125),
      (["--parent", "$", "--directory", "/", "--"], 125), (["--parent", "$", "--", "true"], 125), ([], 125),
      (["--parent", "$", "--directory", "/no/such", "--", "true"], 125),
      (["--parent", "$", "--directory", "/", "--", "no-such"], 127),
      (["--parent", "$", "--directory", "/", "--", "/etc/passwd"], 126),
      (["--parent", "$", "--directory", "/", "--wrong", "1", "--", "true"], 125),
      (["--parent", "$", "--directory", "/", "--status", "77", "--", "true"], 125),
      (["--parent", "$", "--directory", "/", "--", "true"], 0),
    ] as [([String], Int32)])
  func `the launcher fails with one sentence and a status`(_ arguments: [String], _ status: Int32) async throws {
    try await ProcessBench.run { bench in
      let script = "import os, subprocess, sys; a = [x.replace('$', str(os.getpid())) for x in sys.argv[1:]]; "
      let call = "sys.exit(subprocess.call(a))"
      let record = try await bench.finish(["python3", "-c", script + call, testLauncher()] + arguments)
      #expect(record.exit?.status == .exited(status))
      #expect(record.output.lines.count == (status == 0 ? 0 : 1))
      #expect(record.output.lines.allSatisfy { $0.stream == .standardError })
    }
  }

  @Test func `a script without an interpreter line goes to no shell`() async throws {
    try await ProcessBench.run { bench in
      let made = try await bench.finish(["sh", "-c", "f=$(mktemp) && echo 'echo shell' > $f && chmod +x $f && echo $f"])
      let path = try #require(made.lines.first)
      defer { unsafe unlink(path) }
      let error = await #expect(throws: ProcessError.self) { _ = try await bench.start([path]) }
      #expect(error?.code == .notExecutable)
    }
  }

  @Test func `measures memory and processor time`() async throws {
    try await ProcessBench.run { bench in
      let program = "import time; x = bytearray(200 << 20); print('ready', flush=True); time.sleep(1000)"
      let (process, record) = try await bench.start(["python3", "-c", program])
      await eventually { record.lines == ["ready"] }
      let high = try #require(bench.keeper.memoryHighWater(process))
      #expect(high > 200 << 20 && high < 400 << 20)
      bench.keeper.signal(process, .kill)
      await eventually { record.exit != nil }
      let exit = try #require(record.exit)
      // Unknown if this test process itself has grown larger.
      #expect(exit.residentBytesMax.map { $0 > 200 << 20 && $0 < 400 << 20 } ?? true)
      #expect(exit.processorTime > .milliseconds(5) && exit.processorTime < .seconds(10))
    }
  }
}

func commandName(_ processID: Int32) -> String {
  let descriptor = unsafe open("/proc/\(processID)/comm", O_RDONLY)
  guard descriptor >= 0 else { return "" }
  defer { close(descriptor) }
  var text = [UInt8](repeating: 0, count: 64)
  let count = unsafe read(descriptor, &text, text.count)
  return count > 1 ? String(decoding: text[..<(count - 1)], as: UTF8.self) : ""
}
