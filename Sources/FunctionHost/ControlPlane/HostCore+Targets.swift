import HostRules
import LambdaAPI
import Lifecycle

extension HostCore {
  /// The function that a call names, and the version that its qualifier stands for.
  func target(of call: ControlPlaneCall) throws(AWSError) -> FunctionTarget {
    try target(call.function, qualifier: call.qualifier)
  }

  /// The function that a request names, and the version that its qualifier stands for.
  func target(_ name: String, qualifier: String?) throws(AWSError) -> FunctionTarget {
    let reference = try FunctionReference.read(name, qualifier: qualifier)
    guard let index = indices[reference.name],
      let version = self[index].deployment.resolve(qualifier: reference.qualifier)
    else { throw .functionNotFound(reference.name, qualifier: reference.qualifier, of: identity) }
    return FunctionTarget(
      index: index, name: reference.name, qualifier: reference.qualifier, version: version, identity: identity)
  }

  /// The function that a call names which must not name a part of it.
  ///
  /// - Parameter allowsLatest: Whether `$LATEST` may be named all the same, because it is what the call is for.
  func wholeFunction(of call: ControlPlaneCall, allowsLatest: Bool = false) throws(AWSError) -> FunctionTarget {
    let reference = try FunctionReference.read(call.function, qualifier: call.qualifier)
    guard let index = indices[reference.name] else {
      throw .functionNotFound(reference.name, qualifier: nil, of: identity)
    }
    guard reference.qualifier == nil || allowsLatest && reference.qualifier == FunctionID.latest else {
      throw .invalidParameter(
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
          + "Please specify either a function name or an unqualified function ARN.")
    }
    return FunctionTarget(index: index, name: reference.name, qualifier: nil, version: .latest, identity: identity)
  }
}
