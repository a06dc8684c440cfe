import CProfiles

extension ProfileCatalog {
    /// Every file of `Profiles`, as it stood when the program was built.
    public static var builtInSources: [Source] {
        (0..<cprofiles_count()).map { index in
            var length: UInt = 0
            let text = cprofiles_text(index, &length)
            return Source(
                file: String(cString: cprofiles_name(index)),
                text: Array(UnsafeBufferPointer(start: text, count: Int(length))))
        }
    }
}
