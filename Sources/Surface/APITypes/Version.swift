/// The version of every program of the package.
package let energydVersion = "0.1.0"
