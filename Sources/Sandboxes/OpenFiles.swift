internal import CLinux

/// How many files this process may have open.
package enum OpenFiles {
  /// Raises the soft limit to the hard one (RLIMIT_NOFILE), for this process and those that it starts. To be called before
  /// anything takes its share of the limit. Does nothing where the system refuses: then there is room for less.
  package static func raiseLimit() { _ = clinux_raise_open_files_limit() }
}
