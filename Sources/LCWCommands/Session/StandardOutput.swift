// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore

/// Standard output, where results go. Nothing is kept back: what a call wrote has arrived, in order
/// with what standard error says, or the call throws.
enum StandardOutput {
  /// Writes a line. What it quotes, such as a file's name, can't break it or steer the terminal.
  static func line(_ text: String) throws(OutputError) {
    try write(Array("\(text.asOneLine)\n".utf8))
  }

  /// Writes text as it is: tables and documents, whose parts are escaped as each format has it.
  static func text(_ text: String, terminator: String = "\n") throws(OutputError) {
    try write(Array((text + terminator).utf8))
  }

  /// Writes bytes as they are.
  static func write(_ bytes: [UInt8]) throws(OutputError) {
    var start = 0
    while start < bytes.count {
      let count = bytes.withUnsafeBytes {
        systemWrite(STDOUT_FILENO, $0.baseAddress.map { $0 + start }, bytes.count - start)
      }
      if count > 0 {
        start += count
      } else if count == 0 || errno != EINTR {
        // Whoever made the descriptor may have made it one that does not wait.
        guard count < 0, errno == EAGAIN else { throw OutputError(code: count < 0 ? errno : EIO) }
        var place = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        poll(&place, 1, -1)
      }
    }
  }

  /// Makes sure that everything has arrived: some file systems tell only then that they are full.
  static func finish() throws(OutputError) {
    // What plugins print by themselves.
    guard fflush(nil) == 0 else { throw OutputError(code: errno) }
    let copy = dup(STDOUT_FILENO)
    guard copy >= 0 else { return }
    guard close(copy) == 0 || errno == EINTR else { throw OutputError(code: errno) }
  }

  /// Whether standard output is a terminal.
  static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
}

// Inside the type here `write` is a method of its own.
private func systemWrite(_ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, start, count)
}

/// Why results can't be written to standard output.
enum OutputError: DescribedError, Hashable {
  /// Who read it has gone, as `head` does when it has enough: no fault, and nobody to tell.
  case readerLeft
  /// The system refused, for this reason.
  case failed(String)

  init(code: Int32) {
    self = code == EPIPE ? .readerLeft : .failed(String(cString: strerror(code)))
  }

  var category: ErrorCategory { .failure }

  var description: String {
    switch self {
    case .readerLeft: "can't write to standard output: its reader has closed it"
    case .failed(let reason): "can't write to standard output: \(reason)"
    }
  }

  /// The exit status of a program that a closed pipe ends, as shells show it.
  static let readerLeftStatus: Int32 = 128 + SIGPIPE
}

/// What a program's three standard descriptors need before anything else is done.
enum StandardStreams {
  /// Puts something in the place of descriptors that are closed, so that no file is opened under
  /// their numbers and takes what is said on them; and leaves it to who writes to notice that a pipe
  /// is closed, since a reader of messages who leaves is no reason to stop working.
  static func prepare() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
    where fcntl(descriptor, F_GETFD) < 0 {
      // The wrong way round: reading, or writing, fails as it did.
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
    signal(SIGPIPE, SIG_IGN)
  }

  /// Whether standard input can be read.
  static var hasInput: Bool {
    let flags = fcntl(STDIN_FILENO, F_GETFL)
    return flags >= 0 && flags & O_ACCMODE != O_WRONLY
  }
}
