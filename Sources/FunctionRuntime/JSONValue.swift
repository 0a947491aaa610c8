// A function in Swift reads and writes JSON with this library alone: what it needs of Text is its own interface, too.
@_exported public import struct Text.JSONError
@_exported public import enum Text.JSONValue
