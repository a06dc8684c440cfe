import APITypes
import JSONScanner
import JSONText
import Testing

@Suite struct JSONWriterTests {
    private func text(_ body: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter()
        body(&json)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    @Test func `a text is escaped where JSON wants it, and left alone elsewhere`() {
        #expect(text { $0.text("a\"b\\c\n\r\t\u{0}\u{1F}\u{7F}/ä€😀") } == #""a\"b\\c\n\r\t\u0000\u001f\u007f/ä€😀""#)
    }

    @Test func `what is written reads back, whatever the text`() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let scalars = (0..<Int.random(in: 0...40, using: &random)).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 0...0x1_FFFF, using: &random))
            }
            var original = String.UnicodeScalarView()
            original.append(contentsOf: scalars)
            let string = String(original)
            var json = JSONWriter()
            json.array { $0.text(string) }
            let document = try JSONDocument(bytes: json.bytes)
            #expect(document.root.elements.map { $0.string() } == [string], "\(scalars)")
        }
    }

    @Test func `commas stand between values and nowhere else`() {
        let written = text { json in
            json.array { json in
                json.object { _ in }
                json.array { _ in }
                json.object {
                    $0.field("a", number: 1)
                    $0.key("b")
                    $0.array { json in
                        json.null()
                        json.bool(true)
                        json.raw("1.5")
                    }
                    $0.field("c", text: nil)
                }
            }
        }
        #expect(written == #"[{},[],{"a":1,"b":[null,true,1.5],"c":null}]"#)
    }

    @Test func `numbers have all their digits`() {
        let written = text { json in
            json.array { json in
                json.number(UInt64.max)
                json.number(Int64.min)
            }
        }
        #expect(written == "[18446744073709551615,-9223372036854775808]")
    }

    @Test func `parts of one array make one array`() {
        var json = JSONWriter()
        var written: [UInt8] = []
        json.beginArray()
        for part in [[1, 2], [], [3]] {
            for number in part { json.number(number) }
            written += json.take()
        }
        json.endArray()
        written += json.take()
        #expect(String(decoding: written, as: UTF8.self) == "[1,2,3]")
    }

    @Test func `lines of a stream are values of their own`() {
        let written = text { json in
            for number in 1...3 {
                json.object { $0.field("n", number: number) }
                json.newline()
            }
        }
        #expect(written == "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n")
    }
}
