/// The version of every program of the package.
public let energydVersion = "0.1.0"
