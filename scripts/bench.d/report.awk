# Reads the runs' results, sorted by name and value (`name value unit [peer peer_value]`), and writes their medians as a
# table and, to the file `json`, as JSON. `machine` is a JSON object.

BEGIN {
    goal["store.cpu_s_per_million"] = "<= 0.15"
    goal["store.bytes_per_point.grid"] = "<= 0.42"
    goal["store.bytes_per_point.jitter"] = "<= 0.9"
    goal["store.written_bytes_per_point.bulk"] = "<= 8"
    goal["store.written_mb_per_day.flush_10s"] = "<= 60"
    goal["store.written_mb_per_day.flush_60s"] = "<= 15"
    goal["store.query_24h_raw_ms"] = "<= 0.10"
    goal["store.query_28h_hourly_ms"] = "<= 0.02"
    goal["store.private_bytes_per_series"] = "<= 2048"
    goal["memory.private_bytes_per_series"] = "<= 2048"
    goal["week.growth"] = "<= 5"
    goal["store.open_1gb_after_crash_s"] = "<= 1"
    goal["store.open_1gb_read_mb"] = "<= 32"
    goal["api.query_24h_raw_ms"] = "<= 1.5"
    goal["mqtt.cpu_ratio.qos0"] = goal["mqtt.cpu_ratio.qos1"] = "<= 2.0"
    goal["mqtt.rate_ratio.qos0"] = goal["mqtt.rate_ratio.qos1"] = ">= 0.6"
    goal["mqtt.decode_ns.tasmota"] = "<= 600"
    goal["modbus.tcp_read_ratio"] = ">= 0.8"
    goal["modbus.rtu_utilisation.9600"] = goal["modbus.rtu_utilisation.19200"] = ">= 0.9"
    goal["modbus.rtu_utilisation.115200"] = ">= 0.9"
    goal["usage.ns_per_reading"] = "<= 250"
    goal["usage.bytes_per_counter"] = "<= 200"
    goal["daemon.idle_private_mb"] = "<= 8"
    goal["daemon.idle_resident_mb"] = "<= 36"
    goal["daemon.binary_mb"] = "<= 30"
    printf "{\"machine\":%s,\"results\":[", machine > json
    printf "%-38s %12s %-4s  %-32s %-9s %s\n", "name", "value", "unit", "peer", "goal", "reached"
}

$1 != name { flush() }
{
    name = $1
    unit = $3
    peer = $4
    values[++count] = $2
    if (NF >= 5) peers[++peer_count] = $5
}
END {
    flush()
    print "]}" > json
}

function median(list, length_of_list,    i, j, value) {
    for (i = 2; i <= length_of_list; i++) {
        value = list[i] + 0
        for (j = i - 1; j >= 1 && list[j] + 0 > value; j--) list[j + 1] = list[j]
        list[j + 1] = value
    }
    i = int((length_of_list + 1) / 2)
    return length_of_list % 2 ? list[i] + 0 : (list[i] + list[i + 1]) / 2
}

function flush(    value, beside, wanted, reached) {
    if (count == 0) return
    value = median(values, count)
    printf "%s{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"", written++ ? "," : "", name, value, unit > json
    beside = "-"
    if (peer_count > 0) {
        beside = median(peers, peer_count)
        printf ",\"peer\":\"%s\",\"peer_value\":%.6g", peer, beside > json
        beside = sprintf("%s %.4g", peer, beside)
    }
    printf "}" > json
    reached = "-"
    if (name in goal) {
        split(goal[name], wanted, " ")
        reached = (wanted[1] == "<=" ? value <= wanted[2] + 0 : value >= wanted[2] + 0) ? "yes" : "NO"
    }
    printf "%-38s %12.4g %-4s  %-32s %-9s %s\n", name, value, unit, beside, name in goal ? goal[name] : "-", reached
    count = peer_count = 0
    delete values
    delete peers
}
