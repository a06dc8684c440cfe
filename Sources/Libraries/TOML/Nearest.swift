/// The word that was probably meant, for "did you mean": of `candidates` the one with the fewest typing slips (a letter
/// missing, extra, wrong, or two swapped), at most a third of the word's length but two at least. The first of equals.
public func nearest(_ word: String, among candidates: [String]) -> String? {
    let letters = Array(word)
    let limit = max(2, letters.count / 3)
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
        let other = Array(candidate)
        guard abs(other.count - letters.count) <= limit else { continue }
        let distance = slips(from: letters, to: other)
        // A word that shares nothing is no suggestion, however short both are.
        guard distance <= limit, distance < max(letters.count, other.count) else { continue }
        if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
    }
    return best?.candidate
}

/// The Damerau-Levenshtein distance in which no part is edited twice (optimal string alignment).
private func slips(from a: [Character], to b: [Character]) -> Int {
    var before: [Int] = []
    var previous = Array(0...b.count)
    for i in 0..<a.count {
        var current = [i + 1]
        current.reserveCapacity(b.count + 1)
        for j in 0..<b.count {
            let change = previous[j] + (a[i] == b[j] ? 0 : 1)
            var least = min(previous[j + 1] + 1, current[j] + 1, change)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                least = min(least, before[j - 1] + 1)
            }
            current.append(least)
        }
        before = previous
        previous = current
    }
    return previous[b.count]
}
