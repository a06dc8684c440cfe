import HTTPClient

extension DaemonClient {
    /// The body of a good answer to `body`.
    func post(_ path: String, _ parameters: [(String, String?)], _ body: [UInt8]) throws -> [UInt8] {
        do {
            let answer = try HTTPClient().send(request(path, parameters, method: "POST", body: body))
            guard answer.status == 200 else { throw problem(answer.status, answer.body) }
            return answer.body
        } catch let error as HTTPClientError {
            throw failure(error)
        }
    }

    /// Gives a good answer of any length to `chunk`, piece by piece; returns it without its body, with the fields that
    /// come after that. An answer that ends too early is a failure.
    @discardableResult
    func download(
        _ path: String, _ parameters: [(String, String?)], _ chunk: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> HTTPAnswer {
        var failed: (any Error)?
        do {
            let answer = try HTTPClient().stream(request(path, parameters)) { bytes in
                do {
                    try chunk(bytes)
                    return true
                } catch {
                    failed = error
                    return false
                }
            }
            if let failed { throw failed }
            guard answer.status == 200 else { throw problem(answer.status, answer.body) }
            return answer
        } catch let error as HTTPClientError {
            throw failure(error)
        }
    }
}
