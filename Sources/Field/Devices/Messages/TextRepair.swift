/// Without the mark that some editors and scripts put before UTF-8.
func withoutByteOrderMark(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard text.count >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF else { return text }
    return UnsafeRawBufferPointer(rebasing: text[3...])
}

/// Copies `text` with every bare `nan`, `inf` or `infinity` outside of strings as `null`, of any case and sign.
/// False when there is none; then the copy is of no use. `out` grows to at most 4/3 of the text.
func replaceBareNaN(_ text: UnsafeRawBufferPointer, into out: inout [UInt8]) -> Bool {
    out.removeAll(keepingCapacity: true)
    var isFound = false
    var isInString = false
    var at = 0
    while at < text.count {
        let byte = text[at]
        if isInString {
            // What follows a backslash never ends the string.
            if byte == UInt8(ascii: "\\"), at + 1 < text.count {
                out.append(byte)
                at += 1
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
            }
        } else if byte == UInt8(ascii: "\"") {
            isInString = true
        } else if let length = bareNaN(text, at) {
            out.append(contentsOf: [0x6E, 0x75, 0x6C, 0x6C])
            isFound = true
            at += length
            continue
        }
        out.append(text[at])
        at += 1
    }
    return isFound
}

/// The length of the word at `at`, sign included, when it stands where a value does.
private func bareNaN(_ text: UnsafeRawBufferPointer, _ at: Int) -> Int? {
    var start = at
    if text[start] == UInt8(ascii: "-") || text[start] == UInt8(ascii: "+") { start += 1 }
    var end = start
    while end < text.count, end - start <= 8, isLetter(text[end]) { end += 1 }
    let word = UnsafeRawBufferPointer(rebasing: text[start..<end])
    guard equalIgnoringCase(word, "nan") || equalIgnoringCase(word, "inf") || equalIgnoringCase(word, "infinity")
    else { return nil }
    return end - at
}

private func isLetter(_ byte: UInt8) -> Bool {
    (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
}
