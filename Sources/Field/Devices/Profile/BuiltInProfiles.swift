extension ProfileCatalog {
    /// Every file of `Profiles`; the build turns each into an array of its bytes. A test compares list and folder.
    static var builtInSources: [Source] {
        [
            Source(file: "eastron_sdm630.toml", text: PackageResources.eastron_sdm630_toml),
            Source(file: "energy.toml", text: PackageResources.energy_toml),
            Source(file: "tasmota.toml", text: PackageResources.tasmota_toml),
        ]
    }
}
