import Foundation
import Glibc
import Lifecycle
import NIOCore
import TestSupport
import Testing

@testable import Sandboxes

@Suite struct `Process keeper tests` {
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
        bench.spawn(
          ProcessSpecification(
            command: ["sh", "-c", "echo \(index); exit \(index)"], environment: testEnvironment, directory: "/"),
          record)
      }
      for future in futures { _ = try await future.get() }
      for (index, record) in records.enumerated() {
        await eventually { record.exit != nil }
        #expect(record.exit?.status == .exited(Int32(index)))
        #expect(record.lines == ["\(index)"])
      }
    }
  }

  @Test(arguments: Isolation.Mode.allCases)
  func `a signal reaches the whole group`(_ mode: Isolation.Mode) async throws {
    try await ProcessBench.run(mode) { bench in
      for signal in [ProcessSignal.terminate, .kill] {
        let sleep = TestPrograms.uniqueSleep()
        let (process, record) = try await bench.start(["sh", "-c", "sh -c 'sleep \(sleep) & echo $!; wait' & wait"])
        await eventually { record.lines.count == 1 && TestPrograms.isRunning(argument: sleep) }
        bench.keeper.signal(process, signal)
        await eventually { record.exit != nil }
        #expect(record.exit?.status == .signaled(signal == .kill ? SIGKILL : SIGTERM))
        await eventually { !TestPrograms.isRunning(argument: sleep) }
        bench.keeper.signal(process, .kill)  // Too late: nothing happens.
      }
    }
  }

  @Test(arguments: Isolation.Mode.allCases)
  func `what a program leaves behind in its group ends with it`(_ mode: Isolation.Mode) async throws {
    try await ProcessBench.run(mode) { bench in
      let sleep = TestPrograms.uniqueSleep()
      // In a sandbox that goes on.
      let sandbox = try await bench.makeSandbox()
      let record = ProcessRecord()
      _ = try await bench.launch(["sh", "-c", "sleep \(sleep) & exit 0"], in: sandbox, record)
      await eventually { record.exit != nil }
      #expect(record.exit?.status == .exited(0))
      await eventually { !TestPrograms.isRunning(argument: sleep) }
    }
  }

  @Test(arguments: Isolation.Mode.allCases)
  func `what made a session of its own ends with the sandbox`(_ mode: Isolation.Mode) async throws {
    try await ProcessBench.run(mode) { bench in
      let sleep = TestPrograms.uniqueSleep()
      let sandbox = try await bench.makeSandbox()
      let record = ProcessRecord()
      let program =
        "setsid sh -c 'setsid sleep \(sleep) & echo ready; sleep \(sleep)' & trap '' TERM; read x </dev/zero"
      _ = try await bench.launch(["sh", "-c", program], in: sandbox, record)
      await eventually { record.lines == ["ready"] && TestPrograms.isRunning(argument: sleep) }
      bench.keeper.kill(sandbox)
      await eventually { !TestPrograms.isRunning(argument: sleep) && record.exit != nil }
    }
  }

  @Test(arguments: Isolation.Mode.allCases)
  func `everything ends when the host is killed, whatever sessions there are`(_ mode: Isolation.Mode) async throws {
    try await ProcessBench.run(mode) { bench in
      let sleep = TestPrograms.uniqueSleep()
      // Where a sandbox sees it: its /tmp is its own, and this checkout may lie in the other one.
      let launcher = "/var/tmp/kelvin-launcher-\(UUID().uuidString)"
      try FileManager.default.copyItem(atPath: try TestPrograms.launcher(), toPath: launcher)
      defer { try? FileManager.default.removeItem(atPath: launcher) }
      // A host of its own that is not Kelvin; killed with a signal to it alone, so that only its launcher can end them.
      let host = """
        import os, socket, struct, subprocess, time
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        subprocess.Popen(["\(launcher)", "--control", str(theirs.fileno())], pass_fds=[theirs.fileno()])
        theirs.close()
        texts = ["/", "sh", "-c", "setsid sh -c 'sleep \(sleep) & wait' & sleep \(sleep)"]
        block = b"".join(text.encode() + b"\\0" for text in texts)
        file = os.memfd_create("block")
        os.write(file, block)
        socket.send_fds(ours, [struct.pack("IIiIIIQ", 1, 1, 0, 1024, 3, 0, len(block))], [file, 1, 1])
        time.sleep(1)
        os.kill(os.getpid(), 9)
        """
      let sandbox = try await bench.makeSandbox()
      let record = ProcessRecord()
      _ = try await bench.launch(["python3", "-c", host], in: sandbox, record)
      await eventually { TestPrograms.isRunning(argument: sleep) }
      await eventually { record.exit != nil }
      #expect(record.exit?.status == .signaled(SIGKILL))
      await eventually { !TestPrograms.isRunning(argument: sleep) }
    }
  }

  @Test(arguments: [[], ["--control"], ["--control", "x"], ["--wrong", "1"], ["--control", "0", "--processes"]])
  func `the launcher says that it is of no use by hand`(_ arguments: [String]) async throws {
    try await ProcessBench.run(.none) { bench in
      let record = try await bench.finish([try TestPrograms.launcher()] + arguments)
      #expect(record.exit?.status == .exited(64))
      #expect(record.output.lines.count == 1)
      #expect(record.output.lines.allSatisfy { $0.stream == .standardError })
    }
  }

  @Test func `a script without an interpreter line goes to no shell`() async throws {
    try await ProcessBench.run { bench in
      let made = try await bench.finish([
        "sh", "-c", "f=$(mktemp -p /var/tmp) && echo 'echo shell' > $f && chmod +x $f && echo $f",
      ])
      let path = try #require(made.lines.first)
      defer { unsafe unlink(path) }
      let error = await #expect(throws: ProcessError.self) { _ = try await bench.start([path]) }
      #expect(error?.code == .notExecutable)
    }
  }

  @Test(arguments: Isolation.Mode.allCases)
  func `measures memory and processor time`(_ mode: Isolation.Mode) async throws {
    try await ProcessBench.run(mode) { bench in
      let program = "import time; x = bytearray(200 << 20); print('ready', flush=True); time.sleep(1)"
      let (_, record) = try await bench.start(["python3", "-c", program])
      await eventually { record.summary != nil }
      let used = try #require(record.summary).memoryUsedBytes
      #expect(used > 200 << 20 && used < 300 << 20, "\(used)")
      let exit = try #require(record.exit)
      #expect(exit.processorTime > .milliseconds(5) && exit.processorTime < .seconds(10))
    }
  }
}
