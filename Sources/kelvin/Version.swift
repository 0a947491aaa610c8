/// The version of this source tree, as `kelvin --version` prints it.
let kelvinVersion = "0.1.0"
