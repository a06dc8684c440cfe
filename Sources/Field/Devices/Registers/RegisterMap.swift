import Metering

/// Registers that are read at the same pace.
public struct RegisterGroup: Hashable, Sendable {
    public let name: String
    /// In ms, unless the configuration says otherwise.
    public let period: Int64
}

/// How a meter's line is set when nobody changed it.
public struct LineDefaults: Hashable, Sendable {
    public enum Parity: String, Hashable, Sendable, CaseIterable {
        case none, even, odd
    }

    public var baud = 9600
    public var parity = Parity.none
    public var stopBits = 1
    public var unit: UInt8 = 1
    /// The pause a meter needs between two requests, in ms.
    public var pause: Int64 = 0
    /// Where it listens, when it has a network of its own.
    public var port: UInt16 = 502
    /// What it needs between the connection and the first request, in ms.
    public var connectPause: Int64 = 0
    /// How long an answer may take, in ms; nil: as usual.
    public var timeout: Int64?
}

/// What a meter's registers mean, and in which requests they are read. Pure: words in, samples out.
public struct RegisterMap: Hashable, Sendable {
    /// Functions that answer with the same registers; the first is asked.
    public let functions: [UInt8]
    public let groups: [RegisterGroup]
    public let line: LineDefaults
    /// By function and address.
    public let registers: [Register]
    /// Registers the maker documents and the profile leaves out, with the reason.
    public let unused: [UnusedRegister]
    public let limits: BlockLimits
    /// Where transformer ratios stand; nil: the meter counts on the primary side itself.
    let transformers: Transformers?
    /// While one of these says no, the registers hold nothing.
    let validWhen: [RegisterCondition]
    /// The registers belong to models that are found by walking a chain; nil: they stand where they stand.
    public let sunSpec: SunSpecModels?
    /// The meter counts the other way round.
    let isInverted: Bool
    private let plan: [RegisterBlock]
    /// Requests whose answers other answers need, to be kept in a `RegisterContext`: ratios, codes. They change seldom
    /// or never; once after the connection and every hour is enough.
    public let contextBlocks: [RegisterBlock]

    public var function: UInt8 { functions[0] }

    /// Every function that some register answers to.
    public var answeringFunctions: Set<UInt8> {
        let used = Set(registers.map(\.function))
        return used.contains(function) ? used.union(functions) : used
    }

    public struct UnusedRegister: Hashable, Sendable {
        public let address: UInt16
        public let what: String
    }

    /// A meter behind transformers that reports what it sees.
    struct Transformers: Hashable, Sendable {
        struct Ratio: Hashable, Sendable {
            let place: RegisterPlace
            let scale: Scale
        }

        let current: Ratio?
        let voltage: Ratio?
    }

    /// All that a profile states besides the registers.
    struct Frame {
        var functions: [UInt8]
        var groups: [RegisterGroup]
        var line = LineDefaults()
        var unused: [UnusedRegister] = []
        var limits = BlockLimits()
        var transformers: Transformers?
        var validWhen: [RegisterCondition] = []
        var sunSpec: SunSpecModels?
        var isInverted = false
    }

    /// Fails when registers that belong together do not fit into one request.
    init(_ frame: Frame, registers: [Register]) throws(BlockPlanner.Problem) {
        functions = frame.functions
        groups = frame.groups
        line = frame.line
        unused = frame.unused
        limits = frame.limits
        transformers = frame.transformers
        validWhen = frame.validWhen
        sunSpec = frame.sunSpec
        isInverted = frame.isInverted
        self.registers = registers.sorted {
            ($0.function, $0.address, $0.end) < ($1.function, $1.address, $1.end)
        }
        let blocks = try BlockPlanner.plan(self.registers, groups: groups.count, limits: limits)
        let plan = RegisterMap.widened(blocks, frame.validWhen, limits)
        self.plan = plan
        let needed = RegisterMap.needed(self.registers, frame).filter { place in
            !plan.contains { $0.function == place.function && $0.addresses.contains(Int(place.address)) }
        }
        contextBlocks = BlockPlanner.plan(needed, limits: limits)
    }

    var frame: Frame {
        Frame(
            functions: functions, groups: groups, line: line, unused: unused, limits: limits,
            transformers: transformers, validWhen: validWhen, sunSpec: sunSpec, isInverted: isInverted)
    }

    /// A status is of the same instant as what it is the status of, where the limits allow it.
    private static func widened(
        _ blocks: [RegisterBlock], _ conditions: [RegisterCondition], _ limits: BlockLimits
    ) -> [RegisterBlock] {
        blocks.map { block in
            var range = block.addresses
            for condition in conditions where condition.place.function == block.function {
                let at = Int(condition.place.address)
                let wider = min(range.lowerBound, at)..<max(range.upperBound, at + 1)
                if wider.count <= limits.registers { range = wider }
            }
            return RegisterBlock(
                function: block.function, address: UInt16(range.lowerBound), count: range.count, group: block.group)
        }
    }

    private static func needed(_ registers: [Register], _ frame: Frame) -> Set<RegisterPlace> {
        var places = Set(frame.validWhen.map(\.place))
        for ratio in [frame.transformers?.current, frame.transformers?.voltage] {
            if let ratio { places.insert(ratio.place) }
        }
        for special in registers.compactMap(\.special) where !special.isFallback {
            places.formUnion(special.when.map(\.place))
            places.formUnion(special.negativeWhen.map(\.place))
            if let place = special.scaleFactor { places.insert(place) }
        }
        return places
    }

    /// The requests of one group, or of all, by address. Planned once, when the profile was read.
    public func blocks(of group: String? = nil) -> [RegisterBlock] {
        guard let group else { return plan }
        return plan.filter { block in block.group.map { groups[$0].name } == group }
    }
}
