import FuzzTargets
import Glibc

// kelvin-fuzz [--seconds N] [--seed S] [--target NAME]   changes the seeds of each target, or of one, for N seconds in all
// kelvin-fuzz --target NAME --input FILE                 runs one input again
exit(FuzzDriver.run(Array(CommandLine.arguments.dropFirst())))
