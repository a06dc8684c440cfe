import JSONScanner
import Metering

/// What devices have announced for Home Assistant's discovery: which values stand on which topics.
///
/// Bounded; what does not fit is told as a mistake of its announcement.
final class Announcements {
    /// One value of one topic.
    struct Entity: Hashable {
        /// The topic of its announcement, and which of that announcement's it is.
        let origin: String
        let part: String
        let topic: String
        let device: String
        let name: String
        /// All that it is called by, for hints.
        let words: String
        let quantity: Quantity
        let conversion: Conversion
        /// Nil: the payload is the number.
        let template: Template?
        var channel: Channel
    }

    /// Where a device says that it is there.
    struct Presence: Hashable {
        let origin: String
        let topic: String
        let device: String
        let online: [UInt8]
        let offline: [UInt8]
        let path: [String]
        /// All topics have to say so; else the last word counts.
        let needsAll: Bool
    }

    /// All that is on one topic.
    final class Place {
        let entities: [Entity]
        let presences: [Presence]
        /// The payload has to be JSON.
        let needsJSON: Bool

        init(_ entities: [Entity], _ presences: [Presence]) {
            self.entities = entities
            self.presences = presences
            needsJSON = entities.contains { $0.template?.needsJSON ?? false }
        }
    }

    static let maximumEntities = 4096
    static let maximumTopicLength = 512

    private(set) var entities: [Entity] = []
    private(set) var presences: [Presence] = []
    /// By device address.
    private(set) var names: [String: String] = [:]
    /// Topic → its number in `entitiesOf`.
    private var places: [String: Int] = [:]
    private var topicsByPlace: [String] = []
    /// By number; nil until it is asked for, and when something changed.
    private var known: [Place?] = []
    /// By device and topic: what was said last.
    var lastWords: [Presence: Bool] = [:]
    /// Counts what changed, so that whoever subscribes notices.
    private(set) var changes = 0
    /// Index of the profile whose topics the announcements come on.
    var profile: Int32 = -1

    var topics: [String] { topicsByPlace }

    /// The way to read a topic that was announced.
    func route(_ topic: UnsafeRawBufferPointer) -> Route? {
        guard !places.isEmpty, topic.count <= Announcements.maximumTopicLength,
            let place = places[String(decoding: topic, as: UTF8.self)], isHeard(topicsByPlace[place])
        else { return nil }
        var route = Route()
        route.kind = .entities
        route.profile = profile
        route.index = Int32(place)
        return route
    }

    private func isHeard(_ topic: String) -> Bool {
        entities.contains { $0.topic == topic } || presences.contains { $0.topic == topic }
    }

    /// What is on the topic of this number.
    func place(_ number: Int) -> Place? {
        guard topicsByPlace.indices.contains(number) else { return nil }
        if number < known.count, let place = known[number] { return place }
        let topic = topicsByPlace[number]
        let place = Place(entities.filter { $0.topic == topic }, presences.filter { $0.topic == topic })
        known += repeatElement(nil, count: max(0, number + 1 - known.count))
        known[number] = place
        return place
    }

    /// The address of the device that announced the topic.
    func device(at number: Int) -> String? {
        place(number).flatMap { $0.entities.first?.device ?? $0.presences.first?.device }
    }

    /// Takes what one announcement says in place of what it said before. False when nothing changed.
    func replace(_ origin: String, with new: [Entity], _ newPresences: [Presence], names newNames: [String: String])
        -> Bool
    {
        let old = entities.filter { $0.origin == origin }
        var placed = new
        for i in placed.indices { placed[i].channel = channel(for: placed[i], among: placed[..<i]) }
        let oldPresences = presences.filter { $0.origin == origin }
        for (address, name) in newNames where names.count < Announcements.maximumEntities { names[address] = name }
        guard old != placed || oldPresences != newPresences else { return false }
        entities.removeAll { $0.origin == origin }
        presences.removeAll { $0.origin == origin }
        let room = max(0, Announcements.maximumEntities - entities.count)
        entities += placed.prefix(room)
        presences += newPresences.prefix(max(0, Announcements.maximumEntities - presences.count))
        for topic in placed.map(\.topic) + newPresences.map(\.topic)
        where places[topic] == nil && topicsByPlace.count < 2 * Announcements.maximumEntities {
            places[topic] = topicsByPlace.count
            topicsByPlace.append(topic)
        }
        known = []
        lastWords = lastWords.filter { presences.contains($0.key) }
        changes += 1
        return true
    }

    var isFull: Bool { entities.count >= Announcements.maximumEntities }

    /// What its name tells, else `total`; where another value of the device has that already, its own name.
    private func channel(for entity: Entity, among siblings: ArraySlice<Entity>) -> Channel {
        let others = (entities.filter { $0.origin != entity.origin } + siblings).filter {
            $0.device == entity.device && $0.quantity == entity.quantity && $0.part != entity.part
        }
        let wanted = AnnouncedChannel.hint(entity.words) ?? .total
        guard others.contains(where: { $0.channel == wanted }) else { return wanted }
        return AnnouncedChannel.slug(entity.name) ?? wanted
    }
}
